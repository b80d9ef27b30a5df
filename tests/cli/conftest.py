"""One small trained network for all tests of the commands, and a way to call a command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from fervis import pipeline
from tests.project import REPORT, write_project


class Fervis(Protocol):
    def __call__(self, *arguments: object, code: int = 0, color: bool = False) -> Result: ...


@pytest.fixture
def fervis(monkeypatch: pytest.MonkeyPatch) -> Fervis:
    """``fervis("check", file, code=2)`` runs a command in this process and wants its exit code."""
    monkeypatch.delenv("FERVIS_CACHE", raising=False)

    def run(*arguments: object, code: int = 0, color: bool = False) -> Result:
        import fervis.cli as line

        runner = CliRunner()
        with runner.isolation(color=color) as streams:
            try:
                line.main([str(each) for each in arguments])
            except SystemExit as stop:
                found = int(stop.code or 0)
            out, err = (streams[place].getvalue() for place in (0, 1))
        result = Result(runner, out, err, out + err, None, found, None)
        assert found == code, result.output
        return result

    return run


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """report.yaml of a project that was never built; nobody changes it."""
    return write_project(tmp_path_factory.mktemp("cli") / "fresh")


SMALL = """\
version: 1
title: Where it looks
languages: [en]
data: {kind: npz, path: pictures.npz, split: test}
model: {factory: hw3.py:Net, weights: best.pt, size: 24}
images: {0: 0, 1: 14}
questions:
  - title: Saliency
    answer:
      - saliency: {images: all}
"""


@pytest.fixture
def small(fresh: Path, tmp_path: Path) -> Path:
    """report.yaml of a project with one question in one language, never built."""
    shutil.copytree(fresh.parent, tmp_path / "small")
    (tmp_path / "small" / "report.yaml").write_text(SMALL, "utf-8")
    return tmp_path / "small" / "report.yaml"


@pytest.fixture(scope="session")
def built(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """report.yaml of a project that was built once; nobody changes it."""
    folder = tmp_path_factory.mktemp("cli") / "built"
    shutil.copytree(fresh.parent, folder)
    slow = "      - lime: {images: [0], samples: 128, segments: 12}\n      - confusion: {}\n"
    assert slow in REPORT  # the charts' and LIME's libraries take seconds to load
    (folder / fresh.name).write_text(REPORT.replace(slow, "      - text: later\n"), "utf-8")
    assert pipeline.build(folder / fresh.name).published
    return folder / fresh.name


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """report.yaml of a copy of the built project, with its cache and site."""
    shutil.copytree(built.parent, tmp_path / "copy")
    return tmp_path / "copy" / "report.yaml"


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """``edit(file, old, new)`` replaces a text that must be there."""

    def replace(file: Path, old: str, new: str) -> None:
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return replace
