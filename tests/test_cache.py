"""Where results live, and the guess whether something was edited."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fervis.cache import BUILDS, cache_folder, edited


def test_a_named_folder_goes_before_the_environment_and_that_before_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.yaml"
    monkeypatch.delenv("FERVIS_CACHE", raising=False)
    assert cache_folder(file) == tmp_path / ".fervis"
    monkeypatch.setenv("FERVIS_CACHE", str(tmp_path / "shared"))
    assert cache_folder(file) == tmp_path / "shared"
    assert cache_folder(file, tmp_path / "named") == tmp_path / "named"


def test_a_file_is_edited_when_it_is_younger_than_every_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FERVIS_CACHE", raising=False)
    file = tmp_path / "report.yaml"
    assert not edited(file)
    file.write_text("version: 1")
    assert edited(file)
    builds = tmp_path / ".fervis" / BUILDS
    builds.mkdir(parents=True)
    for name, age in (("one", 20), ("two", 10)):
        (builds / f"{name}.json").write_text("{}")
        os.utime(builds / f"{name}.json", (1000 - age, 1000 - age))
    for time, expected in ((985, False), (995, True)):
        os.utime(file, (time, time))
        assert edited(file) is expected
