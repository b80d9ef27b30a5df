"""Two builds of one project take turns; builds that share a cache work side by side."""

from __future__ import annotations

import shutil

from fervis import pipeline
from fervis.engine.store import Store
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


def test_ten_builds_that_share_a_cache_give_the_bytes_of_one_alone(project, start, tmp_path):
    edit(project, "  1: 14", "  1: 15")
    pipeline.build(project, out=tmp_path / "alone", cache=tmp_path / "cache", pdf=False)
    copies = [tmp_path / f"project {number}" for number in range(10)]
    for copy in copies:
        shutil.copytree(project.parent, copy)
    builds = [start(copy / "report.yaml", "--cache", str(tmp_path / "shared")) for copy in copies]
    for build in builds:
        _, told = build.communicate()
        assert build.returncode == 0, told
        assert "damaged" not in told
    assert all(files(copy / "site") == files(tmp_path / "alone") for copy in copies)
    kept = [path for path in (tmp_path / "shared" / "results").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {
        path.name for path in (tmp_path / "cache" / "results").rglob("*") if path.is_file()
    }
    store = Store(tmp_path / "shared" / "results")
    assert all(store.get(path.name) for path in kept)
    shutil.rmtree(copies[0] / "site")
    again = pipeline.build(copies[0] / "report.yaml", cache=tmp_path / "shared", pdf=False)
    assert again.computed == ()


def test_projects_that_share_a_cache_keep_their_failed_drafts_apart(project, tmp_path):
    drafts = []
    for name in ("amy", "ben"):
        shutil.copytree(project.parent, tmp_path / name)
        file = tmp_path / name / "report.yaml"
        edit(file, "Where it looks", f"Where the network of {name} looks")
        edit(file.with_name("hw3.py"), "self.features(x)", "self.features(x.detach())")
        outcome = pipeline.build(file, cache=tmp_path / "shared", pdf=False)
        assert not outcome.published
        drafts.append(outcome.site)
    for name, draft in zip(("amy", "ben"), drafts, strict=True):
        page = (draft / "index.html").read_text("utf-8")
        assert f"Where the network of {name} looks" in page
