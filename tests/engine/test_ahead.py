"""What analyses need of pictures alone, found by a child: same results, and never needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fervis import pipeline
from fervis.analyses import lime
from fervis.engine import ahead
from fervis.engine.ahead import Ahead
from fervis.forked import FORKS
from tests.project import write_project

REPORT = """\
version: 1
title: LIME
data: {kind: npz, path: pictures.npz, split: test, classes: [round, striped, flat]}
model: {factory: hw3.py:Net, weights: best.pt, size: 24}
images: {0: 0, 1: 14, 2: 24}
questions:
  - title: LIME
    answer:
      - lime: {samples: 60, segments: 9}
      - saliency: {}
"""

pytestmark = pytest.mark.skipif(not FORKS, reason="only on Linux does fervis fork")


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, *, ahead_pays: bool) -> Iterator[list[int]]:
    """How many of a batch's pictures were known, one number for every batch."""
    known: list[int] = []
    real = Ahead.of

    def of(self: Ahead, batch: Sequence[Any]) -> Sequence[Any]:
        found = real(self, batch)
        known.append(len(found))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Ahead, "of", of)
        patch.setattr(ahead, "_pays", lambda: ahead_pays)
        yield known


def weights(file: Path) -> list[bytes]:
    """The downloads of LIME's results."""
    found = sorted((file.parent / "site").glob("data/q1-1-*.npz"))
    assert found
    return [path.read_bytes() for path in found]


def test_results_are_the_same_with_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = []
    for name, pays in (("with", True), ("without", False)):
        (tmp_path / name).mkdir()
        file = write_project(tmp_path / name, REPORT)
        with watched(monkeypatch, ahead_pays=pays) as known:
            outcome = pipeline.build(file, pdf=False)
        assert not outcome.failures
        assert sum(known) == (3 if pays else 0)
        downloads.append(weights(file))
    assert downloads[0] == downloads[1]


@pytest.mark.parametrize("how", ["raises", "dies"])
def test_a_child_that_fails_costs_nothing(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, real = os.getpid(), lime.beforehand

    def beforehand(images: np.ndarray, options: lime.Options) -> Any:
        if os.getpid() != here and how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if os.getpid() != here:
            raise ValueError(how)
        return real(images, options)

    monkeypatch.setattr(lime, "beforehand", beforehand)
    file = write_project(tmp_path, REPORT)
    with watched(monkeypatch, ahead_pays=True) as known:
        outcome = pipeline.build(file, pdf=False)
    assert not outcome.failures
    assert known
    assert not any(known)
    assert weights(file)


def test_no_process_to_be_had_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    file = write_project(tmp_path, REPORT)
    with watched(monkeypatch, ahead_pays=True) as known:
        outcome = pipeline.build(file, pdf=False)
    assert not outcome.failures
    assert known
    assert not any(known)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor does one thing")
def test_a_build_from_the_command_line_looks_ahead(tmp_path: Path) -> None:
    """skimage, which cuts the superpixels, never gets into the process that loads torch."""
    file = write_project(tmp_path, REPORT)
    pipeline.build(file, pdf=False)
    file.write_text(file.read_text("utf-8").replace("2: 24", "2: 25"), "utf-8")
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import contextlib, sys; from fervis.cli import main\n"
            f"with contextlib.suppress(SystemExit): main(['build', {str(file)!r}, '--no-pdf'])\n"
            "print([name in sys.modules for name in ('torch', 'skimage.segmentation')])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    said, loaded = told.stdout.strip().rsplit("\n", 1)
    assert "3 computed" in said
    assert loaded == "[True, False]"
