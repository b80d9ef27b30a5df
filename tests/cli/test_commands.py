"""What every command promises: exit codes, help with examples, words without colour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from fervis.analyses import REGISTRY
from fervis.cli import COMMANDS
from tests.cli.conftest import SMALL, Fervis

Edit = Callable[[Path, str, str], None]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(fervis: Fervis, name: str) -> None:
    output = fervis(name, "--help").output
    assert f"  fervis {name}" in output.split("Example")[1]
    assert name in fervis("--help").output


def test_a_build_ends_with_0_and_a_second_one_too(fervis: Fervis, small: Path) -> None:
    assert "4 computed, 0 reused" in fervis("build", small).output  # predictions and saliency
    assert "Nothing changed" in fervis("build", small).output
    assert fervis("build", small, "--quiet").output == ""


def test_a_failed_analysis_ends_with_1_and_in_colour_only_where_wanted(
    fervis: Fervis, small: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "def forward(self, x):"
    failing = f"{head}\n        if x.requires_grad: raise RuntimeError('no way')"
    edit(small.parent / "hw3.py", head, failing)
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = fervis("build", small, code=1, color=True).output
    assert "no way" in coloured
    assert "\x1b[31m" in coloured
    assert not (small.parent / "site").exists()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = fervis("build", small, code=1, color=True).output
    assert "no way" in plain
    assert "\x1b[" not in plain
    fervis("build", small, "--keep-going", code=1)
    assert (small.parent / "site" / "index.html").is_file()


@pytest.mark.parametrize("command", ["build", "check", "why", "layers", "evaluate", "publish"])
def test_a_wrong_file_ends_with_2(fervis: Fervis, small: Path, command: str) -> None:
    small.write_text(SMALL.replace("saliency:", "salience:"), "utf-8")
    output = fervis(command, small, code=2).output
    assert "report.yaml:10:9: " in output
    assert "saliency" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "arguments",
    [["build", "--no-such-option"], ["no-such-command"], ["clean", "--limit", "-1"],
     ["methods", "no-such-analysis"], ["watch", "/no/such/folder/report.yaml"]],
)  # fmt: skip
def test_a_wrong_command_ends_with_2(fervis: Fervis, arguments: list[str]) -> None:
    assert "Error" in fervis(*arguments, code=2).output


def test_what_the_machine_lacks_ends_with_3(fervis: Fervis, small: Path) -> None:
    (small.parent / "site").mkdir()
    (small.parent / "site" / "thesis.txt").write_text("mine", "utf-8")
    assert "thesis.txt" in fervis("build", small, code=3).output
    assert (small.parent / "site" / "thesis.txt").read_text("utf-8") == "mine"


def test_check_computes_nothing(fervis: Fervis, small: Path) -> None:
    assert "1 questions, 1 parts, 2 pictures" in fervis("check", small).output
    assert not (small.parent / "site").exists()


def test_why_names_what_changed(fervis: Fervis, small: Path, edit: Edit) -> None:
    assert "to compute: new" in fervis("why", small).output
    fervis("build", small)
    lines = fervis("why", small).output.splitlines()
    assert len(lines) == 2
    assert all(line.endswith(": stored") for line in lines)
    edit(small, "1: 14", "1: 15")
    lines = fervis("why", small).output.splitlines()
    assert lines[0].endswith(": stored")
    assert lines[1].endswith("to compute: picture changed")
    edit(small, "1: 15", "1: 14")
    fervis("clean", small, "--limit", "0")
    assert "gone" in fervis("why", small).output


def test_clean_keeps_what_the_limit_allows_and_never_the_site(fervis: Fervis, small: Path) -> None:
    fervis("build", small)
    results = small.parent / ".fervis" / "results"
    before = sum(path.stat().st_size for path in results.rglob("*") if path.is_file())
    assert "0.0 MB removed" in fervis("clean", small, "--limit", "100").output
    fervis("clean", small, "--limit", before / 2e6)
    left = sum(path.stat().st_size for path in results.rglob("*") if path.is_file())
    assert 0 < left <= before / 2
    (small.parent / ".fervis" / "apart" / "site").mkdir(parents=True)  # as builds apart leave it
    fervis("clean", small)
    assert list((small.parent / ".fervis").glob("*/*")) == []
    assert (small.parent / "site" / "index.html").is_file()


def test_layers_and_evaluate_can_be_read_by_programs(fervis: Fervis, small: Path) -> None:
    lines = fervis("layers", small).output.splitlines()
    assert lines[0].split() == ["name", "path", "type", "output", "parameters"]
    assert any(line.split()[0] == "conv2.relu" for line in lines)
    scores = json.loads(fervis("evaluate", small, "--json").output)
    assert scores["pictures"] == 30
    assert 0 <= scores["accuracy"] <= 1


def test_pick_writes_its_page(fervis: Fervis, small: Path, tmp_path: Path) -> None:
    fervis("pick", small, "--out", tmp_path / "pick.html")
    assert (tmp_path / "pick.html").stat().st_size > 1000


def test_the_schema_is_one_and_fits_a_report(fervis: Fervis) -> None:
    schema = json.loads(fervis("schema").output)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(SMALL), schema)


def test_methods_lists_all_and_explains_one(fervis: Fervis) -> None:
    assert all(name in fervis("methods").output for name in REGISTRY)
    assert "layer" in fervis("methods", "gradcam").output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_its_answers(shell: str) -> None:
    fervis = Path(sys.executable).with_name("fervis")
    script = subprocess.run([fervis], env=os.environ | {"_FERVIS_COMPLETE": f"{shell}_source"},
                            capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert f"_FERVIS_COMPLETE={shell}_complete" in script
    line = {"COMP_WORDS": "fervis pub", "COMP_CWORD": "pub" if shell == "fish" else "1"}
    asked = os.environ | line | {"_FERVIS_COMPLETE": f"{shell}_complete"}
    done = subprocess.run([fervis], env=asked, capture_output=True, text=True, check=False)
    assert "publish" in done.stdout
    assert "build" not in done.stdout.split()


def test_bash_takes_the_script(tmp_path: Path) -> None:
    folder = Path(sys.executable).parent
    line = 'eval "$(_FERVIS_COMPLETE=bash_source fervis)"; complete -p fervis'
    known = {"PATH": f"{folder}:{os.environ['PATH']}"}
    command = ["bash", "--norc", "-c", line]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=known)
    assert "fervis" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "offered"), [("fervis pub", "publish"), ("fervis methods gr", "gradcam")]
)
def test_the_shell_completes(words: str, offered: str) -> None:
    environment = os.environ | {"_FERVIS_COMPLETE": "bash_complete", "COMP_WORDS": words,
                                "COMP_CWORD": str(len(words.split()) - 1)}  # fmt: skip
    done = subprocess.run([Path(sys.executable).with_name("fervis")], env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout.split() == [f"plain,{offered}"]
