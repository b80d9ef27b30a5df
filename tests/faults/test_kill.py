"""A build that is killed leaves the old site or the new one, whole, and what it had finished.

`make torture` kills fifty builds of the default report; other runs a few of a small one.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from fervis import pipeline
from tests.faults.conftest import ROOT, edit, files, kept

KILLS = int(os.environ.get("FERVIS_KILLS", "6"))
REPORT = os.environ.get("FERVIS_KILLED_REPORT")  # a file in the repository; with its PDFs


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture
def whole_report(request, tmp_path) -> Path:
    if REPORT is None:
        return request.getfixturevalue("project")
    (tmp_path / "project").mkdir()
    return Path(shutil.copy(ROOT / REPORT, tmp_path / "project" / "report.yaml"))


def test_killed_at_random_moments_the_site_is_the_old_one_or_the_new_one(
    whole_report, start, tmp_path, capsys
):
    """Every build has another picture to explain, and a third of the results is gone."""
    site, results = whole_report.parent / "site", whole_report.parent / ".fervis" / "results"
    pdf = REPORT is not None
    moments = random.Random(7)  # noqa: S311 (a test)
    changes: tuple[str, ...] = ()

    def another(number: int) -> None:
        nonlocal changes
        changes = (f"images.0={number % 20}", f"seed={number // 10}")
        for path in kept(results):
            if moments.random() < 1 / 3:
                path.unlink()

    def begin():
        options = [word for change in changes for word in ("--set", change)]
        return start(whole_report, *options, pdf=pdf)

    assert begin().wait() == 0
    another(0)
    begun = time.perf_counter()
    assert begin().wait() == 0
    whole = time.perf_counter() - begun

    seen: Counter[str] = Counter()
    for number in range(1, KILLS + 1):
        another(number)
        old, before = files(site), kept(results)
        process = begin()
        if number % 3:
            time.sleep(moments.uniform(0.1, 1.0) * whole)
        else:  # near the exchange of the folders
            any("Publishing" in line for line in process.stderr)
            time.sleep(moments.uniform(0, 0.5))
        kill(process)
        found, finished = files(site), kept(results)
        outcome = pipeline.build(whole_report, overrides=changes, pdf=pdf)
        new = files(site)
        assert outcome.published
        assert not any("damaged" in warning for warning in outcome.warnings)
        assert found in (old, new), f"kill {number}: the site is neither the old nor the new one"
        assert [path for path in whole_report.parent.glob(".site.*") if path.is_dir()] == []
        after = kept(results)
        assert {path: after[path] for path in finished} == finished, "computed once more"
        seen["new" if found == new else "old"] += 1
        seen["results of killed builds"] += len(finished.keys() - before.keys())
    pipeline.build(
        whole_report, out=tmp_path / "alone", cache=tmp_path / "c", overrides=changes, pdf=pdf
    )
    assert files(tmp_path / "alone") == files(site)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills of {REPORT or 'a small report'}, a build {whole:.0f} s: {dict(seen)}"
        )


def test_what_a_killed_build_had_computed_is_not_computed_again(project, start):
    edit(project, "  1: 14", "  1: 15")
    process = start(project)
    assert any("Drawing" in line for line in process.stderr)
    kill(process)
    assert pipeline.build(project, pdf=False).computed == ()
