"""A small report that builds within a second, and builds of it in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fervis import pipeline
from tests.project import REPORT, write_project

ROOT = Path(__file__).resolve().parents[2]
HEAD = REPORT.split("questions:")[0].replace("[en, zh-Hant]", "[en]")
SMALL = (
    HEAD
    + """\
questions:
  - title: Where it looks
    answer:
      - saliency: {images: all}
      - gradcam: {layer: conv2.relu, images: all}
"""
)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by its relative name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kept(results: Path) -> dict[Path, int]:
    """Every stored result and its inode, which is another one once it is written again."""
    return {
        path: path.stat().st_ino
        for path in results.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The small project, built once; nobody changes it."""
    file = write_project(tmp_path_factory.mktemp("small"), SMALL)
    outcome = pipeline.build(file, pdf=False)
    assert outcome.published
    return file


@pytest.fixture
def project(built, tmp_path):
    """A copy of the built project: report.yaml, data, network, cache and site."""
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / "report.yaml"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``start(file, *options, command="build", env=…, pdf=…)`` in a process group of its own."""
    processes: list[subprocess.Popen[str]] = []

    def run(file: Path, *options: str, **more: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        environment = {**more.pop("env", environment), "PYTHONPATH": str(ROOT)}
        command = str(more.pop("command", "build"))
        if not more.pop("pdf", False):
            options = ("--no-pdf", *options)
        process = subprocess.Popen(
            [sys.executable, "-m", "fervis", command, str(file), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
            cwd=file.parent,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.communicate()
