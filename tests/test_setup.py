from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

import fervis

ROOT = Path(__file__).resolve().parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/set_up.py for a project in another folder; commands are recorded in ``ran``."""
    module = script("set_up")
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.setattr(sys, "argv", ["set_up.py"])
    for name in ("ROOT", "VENV", "PYTHON", "STAMP", "CONSTRAINTS"):
        moved = tmp_path / getattr(module, name).relative_to(ROOT)
        monkeypatch.setattr(module, name, moved)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    module.ran = []

    def run(*command: str) -> None:
        module.ran.append(command)
        if "venv" in command:
            module.PYTHON.parent.mkdir(parents=True, exist_ok=True)
            module.PYTHON.touch()
            major, minor = sys.version_info[:2]
            (module.VENV / "pyvenv.cfg").write_text(f"version = {major}.{minor}.0\n")

    monkeypatch.setattr(module, "_run", run)
    return module


def call(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """The commands that set-up ran this time."""
    set_up.ran.clear()
    monkeypatch.setattr(sys, "argv", ["set_up.py", *arguments])
    set_up.main()
    return [" ".join(command) for command in set_up.ran]


def test_a_second_run_repeats_nothing(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    first = call(set_up, monkeypatch, "report")
    assert any("venv" in command for command in first)
    assert any(f"-e {set_up.ROOT}" in command for command in first)
    assert call(set_up, monkeypatch, "report") == []


def test_tests_add_to_what_is_there(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    call(set_up, monkeypatch, "dev")
    more = call(set_up, monkeypatch, "test")
    assert not any("-m venv" in command for command in more)
    assert any("[dev,test]" in command for command in more)
    assert call(set_up, monkeypatch, "dev") == call(set_up, monkeypatch, "report") == []


def test_another_version_of_a_library_is_installed_anew(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(set_up, monkeypatch)
    text = set_up.CONSTRAINTS.read_text()
    set_up.CONSTRAINTS.write_text(text.replace("torch==", "torch==9."))
    assert call(set_up, monkeypatch) != []


def test_an_interrupted_set_up_starts_again(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = set_up._run

    def interrupt(*command: str) -> None:
        run(*command)
        if "install" in command:
            raise KeyboardInterrupt

    monkeypatch.setattr(set_up, "_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        call(set_up, monkeypatch)
    monkeypatch.setattr(set_up, "_run", run)
    assert any("-e " in command for command in call(set_up, monkeypatch))


def test_a_torch_index_is_asked_for_torch_alone(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = call(set_up, monkeypatch, "--torch-index", "https://example.org/cpu")
    asked = [command for command in commands if "example.org" in command]
    assert len(asked) == 1
    assert asked[0].endswith("torch")
    assert "--no-deps" in asked[0]


def test_the_html_checker_comes_with_the_tests_and_once(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("vnu" in command for command in call(set_up, monkeypatch, "report"))
    (asked,) = [command for command in call(set_up, monkeypatch, "test") if "vnu" in command]
    assert asked.startswith(str(set_up.PYTHON.with_name("npm")))
    assert f"--prefix {set_up.VENV} " in asked
    assert re.search(r"vnu-jar@\d+\.\d+\.\d+$", asked)
    assert call(set_up, monkeypatch, "test") == []
    monkeypatch.setattr(set_up, "VALIDATOR", "vnu-jar@99.1.1")
    assert call(set_up, monkeypatch, "test") != []


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 14, 0), (2, 7, 18)])
def test_another_python_gets_a_clear_message(
    set_up: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: tuple[int, int, int],
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as caught:
        set_up.main()
    assert caught.value.code == 3
    message = capsys.readouterr().err
    assert "3.11 to 3.13" in message
    assert f"{version[0]}.{version[1]}" in message
    assert "PYTHON=" in message


def test_what_is_missing_is_told_before_anything_is_installed(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import check_system

    monkeypatch.setattr(check_system, "_loads", lambda files: False)
    monkeypatch.setattr(check_system, "_has_venv", lambda: False)
    monkeypatch.setattr(check_system.shutil, "which", lambda program: None)
    with pytest.raises(SystemExit) as caught:
        call(set_up, monkeypatch, "test")
    assert caught.value.code == 3
    assert set_up.ran == []
    said = capsys.readouterr().err
    for words in (
        r"apt install .*libharfbuzz-subset0.*libpangoft2-1.0-0.*poppler-utils.*-venv.* qpdf",
        r"dnf install .*harfbuzz.*pango", r"brew install .*pango",
        r"brew install --cask chromium",
    ):  # fmt: skip
        assert re.search(words, said), words


def test_root_installs_what_is_missing_with_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    check_system = script("check_system")
    installed: list[str] = []
    monkeypatch.setattr(check_system.os, "getuid", lambda: 0)
    monkeypatch.setattr(check_system.shutil, "which", lambda program: "/usr/bin/" + program)
    monkeypatch.setattr(check_system, "_loads", lambda files: bool(installed))

    class Done:
        returncode = 0

    def run(command: list[str], **_: object) -> Done:
        if "install" in command:
            installed.extend(command)
        return Done()

    monkeypatch.setattr(check_system.subprocess, "run", run)
    assert check_system.ensure()
    assert {"libpangoft2-1.0-0", "libharfbuzz-subset0", "--no-install-recommends"} <= set(installed)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    pinned = {
        line.split("==")[0]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    names = {re.split(r"[<>=\[; ]", each)[0].lower().replace("_", "-") for each in wanted}
    assert names <= pinned
    assert "torch==2.13.0\n" in (ROOT / "constraints.txt").read_text()


def test_make_help_names_every_target() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"help", "setup", "report", "test", "check", "clean"} <= set(targets)
    assert all(f"make {target} " in said for target in targets)


def test_ci_runs_what_the_readme_says() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert {"make check", "make test", "export CI=true"} <= set(run.read_text().splitlines())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )  # fmt: skip
    (found,) = folder.iterdir()
    return found


def test_the_wheel_is_called_fervis_report_and_brings_the_command(wheel: Path) -> None:
    assert wheel.name == f"fervis_report-{fervis.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        info = f"fervis_report-{fervis.__version__}.dist-info/"
        commands = archive.read(info + "entry_points.txt").decode()
        assert "MIT" in archive.read(info + "METADATA").decode()
    assert "fervis = fervis.cli:program" in commands


def test_the_wheel_carries_all_that_a_checkout_has_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    templates = [file for file in (ROOT / "templates").rglob("*") if file.is_file()]
    assert templates
    for file in templates:
        assert f"fervis/_templates/{file.relative_to(ROOT / 'templates').as_posix()}" in names
    assert "fervis/_project/report.yaml" in names
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}
    assert not [name for name in names if name.startswith(("tests", "tools", "site"))]


def test_an_installed_wheel_works_with_no_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "HOME": str(tmp_path)}
    code = (
        "import fervis\n"
        "from fervis.cli import program\n"
        "from fervis.render import packaged_templates\n"
        "print(fervis.__file__, packaged_templates(), sep='\\n', flush=True)\n"
        "program(['init', 'mine'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for place in done.stdout.splitlines()[:2]:
        assert Path(place).is_relative_to(tmp_path / "installed")
        assert Path(place).exists()
    default = (ROOT / "report.yaml").read_text("utf-8")
    assert (tmp_path / "mine" / "report.yaml").read_text("utf-8").endswith(default)


def test_build_py_is_fervis_build() -> None:
    said = subprocess.run([sys.executable, str(ROOT / "build.py"), "--help"], cwd=ROOT,
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert said.startswith("Usage: fervis build ")
