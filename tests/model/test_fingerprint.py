"""The fingerprint changes with what can change a number, with nothing else, and without torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fervis.errors import ModelError
from fervis.model import defaults
from fervis.model.fingerprint import digest_of, fingerprint
from fervis.model.options import ModelOptions

GIVEN = {
    "factory": "nets/hw3.py:Net",
    "args": {"width": 4},
    "weights": "best.pt",
    "mean": 0.5,
    "preprocess": "ready.py:ready",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "best.pt": "some bytes",
        "nets/hw3.py": "import blocks\nfrom pkg.layers import *\ndef Net():\n    import late\n",
        "nets/blocks.py": "import numpy, deep as d\n",
        "nets/deep.py": "x = 1\n",
        "nets/late.py": "x = 1\n",
        "nets/stranger.py": "x = 1\n",
        "pkg/__init__.py": "",
        "pkg/layers.py": "from .inner import x\nfrom . import sibling\n",
        "pkg/inner.py": "x = 1\n",
        "pkg/sibling.py": "import importlib\nimportlib.import_module('named')\n",
        "named.py": "x = 1\n",
        "ready.py": "def ready(x): pass\n",
        "report.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def of(folder: Path, **changes: Any) -> str:
    return fingerprint(ModelOptions.model_validate({**GIVEN, **changes}), folder)


@pytest.mark.parametrize(
    "name",
    [
        "best.pt", "nets/hw3.py", "nets/blocks.py", "nets/deep.py", "nets/late.py",
        "pkg/__init__.py", "pkg/layers.py", "pkg/inner.py", "pkg/sibling.py", "named.py",
        "ready.py",
    ],
)  # fmt: skip
def test_it_changes_with_weights_and_every_module_that_is_imported(
    project: Path, name: str
) -> None:
    before = of(project)
    with (project / name).open("a") as file:
        file.write("\n# changed\n")
    assert of(project) != before


@pytest.mark.parametrize("name", ["nets/stranger.py", "report.yaml", "nets/new.py"])
def test_it_does_not_change_with_other_files(project: Path, name: str) -> None:
    before = of(project)
    (project / name).write_text("# changed\n")
    assert of(project) == before


def test_it_does_not_change_with_time_or_place(project: Path, tmp_path_factory: Any) -> None:
    before = of(project)
    (project / "best.pt").touch()
    elsewhere = tmp_path_factory.mktemp("other") / "name with 空白"
    shutil.copytree(project, elsewhere)
    assert of(elsewhere) == before
    (elsewhere / "best.pt").rename(elsewhere / "renamed.pt")
    assert of(elsewhere, weights="renamed.pt") == before


def test_a_new_module_that_hides_another_changes_it(project: Path) -> None:
    before = of(project)
    (project / "nets" / "named.py").write_text("x = 2\n")  # beside the file: found first
    assert of(project) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"args": {"width": 5}}, {"mean": 0.4}, {"std": 0.4}, {"scale": 1}, {"size": 64},
        {"channels": 3}, {"output": "logits"}, {"preprocess": None}, {"weights": None},
        {"factory": "nets/hw3.py:Other"}, {"factory": "nets/deep.py:Net"},
        {"preprocess": "ready.py:other"},
    ],
    ids=str,
)  # fmt: skip
def test_it_changes_with_every_option(project: Path, changes: dict[str, Any]) -> None:
    assert of(project, **changes) != of(project)


def test_equal_options_written_otherwise_are_equal(project: Path) -> None:
    assert of(project, size=48) == of(project, size=[48, 48]) == of(project)
    assert of(project, args={"a": 1, "b": 2}) == of(project, args={"b": 2, "a": 1})
    assert of(project, mean=0.5) == of(project, mean=[0.5])


def test_the_default_networks_source_and_weights_are_part_of_it(
    tmp_path: Path, monkeypatch: Any
) -> None:
    weights, source = tmp_path / "default.safetensors", tmp_path / "default.py"
    weights.write_bytes(b"1")
    source.write_bytes(b"2")
    monkeypatch.setattr(defaults, "WEIGHTS", weights)
    monkeypatch.setattr("fervis.model.fingerprint.SOURCE", source)

    def now(**given: Any) -> str:
        return fingerprint(ModelOptions.model_validate({"kind": "default", **given}), tmp_path)

    seen = {now(), now(mean=0.5), now(args={"dropout": 0.1})}
    for file in (weights, source):
        file.write_bytes(b"3")
        seen.add(now())
    assert len(seen) == 5
    assert now(mean=defaults.MEAN, std=defaults.STD) == now()


def test_a_package_is_known_by_its_module_and_version(tmp_path: Path, monkeypatch: Any) -> None:
    site = tmp_path / "site-packages"
    (site / "nets_of_others").mkdir(parents=True)
    (site / "nets_of_others" / "__init__.py").write_text("from .net import Net\n")
    (site / "nets_of_others" / "net.py").write_text("class Net: pass\n")
    info = site / "nets_of_others-1.0.dist-info"
    info.mkdir()
    monkeypatch.syspath_prepend(str(site))
    changes: list[Callable[[], Any]] = [
        lambda: (info / "METADATA").write_text("Name: nets-of-others\nVersion: 1.0\n"),
        lambda: (info / "METADATA").write_text("Name: nets-of-others\nVersion: 1.1\n"),
        lambda: (site / "nets_of_others" / "__init__.py").write_text("from .net import *\n"),
    ]
    options = ModelOptions.model_validate({"factory": "nets_of_others:Net"})
    seen = {fingerprint(options, tmp_path)}
    for change in changes:
        change()
        seen.add(fingerprint(options, tmp_path))
    assert len(seen) >= 3
    assert "nets_of_others" not in sys.modules


def test_a_missing_file_is_told(project: Path) -> None:
    for changes, told in (
        ({"weights": "gone.pt"}, "no file .*gone.pt"),
        ({"factory": "gone.py:Net"}, "no file .*gone.py"),
        ({"factory": "../hw3.py:Net"}, "outside"),
        ({"factory": "no_such_package:Net"}, "no installed package"),
    ):
        with pytest.raises(ModelError, match=told):
            of(project, **changes)


def test_code_that_does_not_parse_still_has_one(project: Path) -> None:
    (project / "nets" / "hw3.py").write_text("def Net(:\n")
    before = of(project)
    (project / "nets" / "hw3.py").write_text("def Net(::\n")
    assert of(project) != before


def test_files_may_be_read_through_a_memory(project: Path) -> None:
    read: list[str] = []

    def remembered(file: Path) -> str:
        read.append(file.name)
        return digest_of(file)

    options = ModelOptions.model_validate(GIVEN)
    assert fingerprint(options, project, remembered) == of(project)
    assert "best.pt" in read


def test_no_torch_is_imported(project: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from fervis.model.fingerprint import fingerprint; "
        "from fervis.model.options import ModelOptions; "
        f"fingerprint(ModelOptions.model_validate({GIVEN!r}), Path({str(project)!r})); "
        "fingerprint(ModelOptions.model_validate({'factory': 'torch.nn:ReLU'}), Path('.')); "
        "heavy = {'torch', 'numpy', 'safetensors'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
