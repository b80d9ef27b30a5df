"""A build that is killed leaves the old site or the new one, whole, and what it had finished."""

from __future__ import annotations

import os
import random
import signal
import time

from fervis import pipeline
from tests.faults.conftest import edit, files

KILLS = int(os.environ.get("FERVIS_KILLS", "6"))


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def left_overs(project) -> list[str]:
    return [path.name for path in project.parent.iterdir() if path.name.startswith(".site.new")]


def test_killed_at_random_moments_the_site_is_the_old_one_or_the_new_one(project, start):
    begun = time.perf_counter()
    edit(project, "version: 1\n", "version: 1\nseed: 100\n")
    assert start(project).wait() == 0
    whole = time.perf_counter() - begun
    moments = random.Random(7)  # noqa: S311 (a test)
    kinds = set()
    for number in range(KILLS):
        edit(project, f"seed: {100 + number}\n", f"seed: {101 + number}\n")
        edit(project, "  1: " + str(14 + number % 2), "  1: " + str(14 + (number + 1) % 2))
        old = files(project.parent / "site")
        process = start(project)
        time.sleep(moments.uniform(0.1, 1.05) * whole)
        kill(process)
        found = files(project.parent / "site")
        outcome = pipeline.build(project, pdf=False)
        new = files(project.parent / "site")
        assert outcome.published
        assert found in (old, new), f"kill {number}: the site is neither the old nor the new one"
        assert left_overs(project) == []
        kinds.add("new" if found == new else "old")
    assert kinds


def test_what_a_killed_build_had_computed_is_not_computed_again(project, start):
    edit(project, "  1: 14", "  1: 15")
    process = start(project)
    assert any("Drawing" in line for line in process.stderr)
    kill(process)
    assert pipeline.build(project, pdf=False).computed == ()
