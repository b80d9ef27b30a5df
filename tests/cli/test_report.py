"""A press starts with the command where there will be a PDF to set, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fervis.cache import BUILDS
from fervis.cli.report import _started_early
from fervis.forked import FORKS


@pytest.mark.skipif(not FORKS, reason="only on Linux does one press serve any report")
def test_a_press_starts_early_for_an_edited_report_with_pdfs(tmp_path: Path) -> None:
    file, builds = tmp_path / "report.yaml", tmp_path / "cache" / BUILDS
    file.write_text("version: 1")
    builds.mkdir(parents=True)
    with _started_early(file, tmp_path / "cache", pdf=True) as presses:
        assert presses is not None
        (process,) = presses._processes
        assert process.poll() is None
    assert process.poll() is not None
    with _started_early(file, tmp_path / "cache", pdf=False) as presses:
        assert presses is None
    (builds / "stamp.json").write_text("{}")
    os.utime(file, (1, 1))
    with _started_early(file, tmp_path / "cache", pdf=True) as presses:
        assert presses is None
