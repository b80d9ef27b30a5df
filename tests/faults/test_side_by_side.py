"""Two builds of one project take turns; builds that share a cache work side by side."""

from __future__ import annotations

import shutil

from fervis import pipeline
from fervis.engine.turn import turn
from tests.faults.conftest import edit, files


def test_two_builds_of_one_project_take_turns(project, start, tmp_path):
    edit(project, "  1: 14", "  1: 15")
    pipeline.build(project, out=tmp_path / "alone", cache=tmp_path / "cache", pdf=False)
    shutil.rmtree(project.parent / ".fervis")
    first, second = start(project), start(project)
    told = [process.communicate() for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], told
    assert sum("Nothing changed" in out for out, _ in told) == 1
    assert any("Waiting for another build" in error for _, error in told)
    assert files(project.parent / "site") == files(tmp_path / "alone")


def test_a_build_waits_until_the_other_is_done(project, start):
    edit(project, "  1: 14", "  1: 15")
    with turn(project.parent / ".fervis", project.parent / "site", lambda: None):
        process = start(project)
        assert "Checking" in process.stderr.readline()
        assert "Waiting" in process.stderr.readline()
        assert process.poll() is None
    process.communicate()
    assert process.returncode == 0


def test_builds_that_share_a_cache_give_the_same_bytes(project, start, tmp_path):
    edit(project, "  1: 14", "  1: 15")
    copies = [tmp_path / f"project {number}" for number in range(3)]
    for copy in copies:
        shutil.copytree(project.parent, copy)
    builds = [start(copy / "report.yaml", "--cache", str(tmp_path / "shared")) for copy in copies]
    for build in builds:
        _, told = build.communicate()
        assert build.returncode == 0, told
    sites = [files(copy / "site") for copy in copies]
    assert sites[0] == sites[1] == sites[2]
