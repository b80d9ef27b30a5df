"""Where a build runs does not matter: no HOME, plain C locale, odd paths, a clock gone wrong."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from fervis import pipeline
from tests.faults.conftest import edit, files

PLAIN = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"HOME": "/proc", "LANG": "C", "LC_ALL": "POSIX"},
    ],
    ids=["no HOME", "HOME not writable"],
)
def test_a_build_in_poor_surroundings_gives_the_same_bytes(project, start, tmp_path, environment):
    odd = tmp_path / "a folder" / "報告 🙂 'x' #1%20"
    shutil.copytree(project.parent, odd)
    shutil.rmtree(odd / ".fervis")
    expected = files(odd / "site")
    shutil.rmtree(odd / "site")
    process = start(odd / "report.yaml", env={**PLAIN, **environment})
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert files(odd / "site") == expected


@pytest.mark.parametrize("when", [0, 1, 4_000_000_000])
def test_a_clock_set_back_or_ahead_changes_nothing(project, start, when):
    """Files from the future or from 1970: contents decide, not times."""
    before = files(project.parent / "site")
    edit(project, "Where it looks", "Where it looked")
    for path in project.parent.rglob("*"):
        os.utime(path, (when, when))
    process = start(project)
    _, told = process.communicate()
    assert process.returncode == 0, told
    after = files(project.parent / "site")
    assert b"Where it looked" in after["index.html"]
    assert after.keys() == before.keys()


@pytest.mark.parametrize("seconds", [-1_700_000_000, 3_000_000_000], ids=["1972", "2121"])
def test_a_clock_that_is_wrong_while_it_builds_changes_no_byte(project, monkeypatch, seconds):
    edit(project, "  1: 14", "  1: 15")
    pipeline.build(project, out=project.parent / "right", cache=project.parent / "c", pdf=False)
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + seconds * 1_000_000_000)
    assert pipeline.build(project, pdf=False).published
    assert files(project.parent / "site") == files(project.parent / "right")
    monkeypatch.undo()
    assert pipeline.build(project, pdf=False).unchanged
