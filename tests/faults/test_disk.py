"""A disk that is full or may not be written: said with the path, exit code 3, nothing half-done."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fervis import pipeline
from fervis.engine import stamp
from fervis.errors import EXIT_MACHINE, DiskError
from tests.faults.conftest import edit, files


@pytest.fixture
def small_disk(tmp_path):
    """``small_disk(kilobytes)`` is a folder on a disk of that size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def mount(kilobytes: int) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)],
            capture_output=True,
        ) if os.getuid() == 0 and sys.platform == "linux" else None  # fmt: skip
        if done is None or done.returncode:
            pytest.skip("this user may not mount a small disk (Linux, root)")
        mounted.append(folder)
        return folder

    yield mount
    for each in mounted:
        subprocess.run(["umount", "-l", str(each)], check=True)


@pytest.mark.parametrize("kilobytes", [8, 40, 200])
def test_a_full_cache_disk_ends_the_build(project, small_disk, kilobytes):
    disk = small_disk(kilobytes)
    before = files(project.parent / "site")
    edit(project, "  1: 14", "  1: 15")
    with pytest.raises(DiskError, match=r"disk is full|No space|free some space") as caught:
        pipeline.build(project, cache=disk / "cache", pdf=False)
    assert str(disk) in str(caught.value)
    assert files(project.parent / "site") == before
    assert pipeline.build(project, pdf=False).published


@pytest.mark.parametrize("kilobytes", [12, 300])
def test_a_full_site_disk_ends_the_build(project, small_disk, kilobytes):
    disk = small_disk(kilobytes)
    edit(project, "Where it looks", "Where it really looks")
    with pytest.raises(DiskError, match=r"disk is full|No space|free some space") as caught:
        pipeline.build(project, out=disk / "site", pdf=False)
    assert str(disk) in str(caught.value)
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("nth", [0, 1, 4, 9])
def test_a_disk_that_fills_up_at_any_result_ends_the_build(project, monkeypatch, nth):
    calls = iter(range(1000))
    flush = os.fsync

    def full(descriptor: int) -> None:
        if next(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    before = files(project.parent / "site")
    edit(project, "version: 1\n", "version: 1\nseed: 5\n")
    edit(project, "  1: 14", "  1: 16")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="free some space") as caught:
        pipeline.build(project, pdf=False)
    assert caught.value.exit_code == EXIT_MACHINE
    assert files(project.parent / "site") == before
    monkeypatch.undo()
    assert pipeline.build(project, pdf=False).published


def test_a_disk_that_is_full_once_the_site_is_there_fails_nothing(project, monkeypatch):
    """The stamp, which comes last, is worth a little time only."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    edit(project, "Where it looks", "Where it looked")
    monkeypatch.setattr(stamp, "json", SimpleNamespace(loads=json.loads, dumps=full))
    assert pipeline.build(project, pdf=False).published
    assert "Where it looked" in (project.parent / "site" / "index.html").read_text("utf-8")
    assert list((project.parent / ".fervis" / "builds").glob("*.part")) == []
    monkeypatch.undo()
    assert not pipeline.build(project, pdf=False).unchanged


def test_a_limit_on_the_size_of_files_is_told_by_the_command(project, start):
    edit(project, "  1: 14", "  1: 15")
    shutil.rmtree(project.parent / ".fervis")
    before = files(project.parent / "site")
    mine = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, mine[1]))
    try:
        process = start(project)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, mine)
    _, told = process.communicate()
    assert process.returncode == EXIT_MACHINE, told
    assert str(project.parent / ".fervis") in told
    assert "Traceback" not in told
    assert files(project.parent / "site") == before


@pytest.mark.parametrize("which", ["site", ".fervis", "."])
def test_a_folder_that_may_not_be_written_is_named_before_anything_is_computed(
    built, unprivileged, which
):
    """Without any computing: the child has no time to load torch, which this asserts."""

    def prepare(folder: Path) -> None:
        shutil.copytree(built.parent, folder / "project")
        for path in [folder / "project", *(folder / "project").rglob("*")]:
            os.chown(path, 65534, 65534) if os.getuid() == 0 else None
        edit(folder / "project" / "report.yaml", "  1: 14", "  1: 15")
        shut = folder / "project" / which
        if which != ".":
            for path in [shut, *shut.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        else:
            shut.chmod(0o555)

    def check(folder: Path) -> None:
        file = folder / "project" / "report.yaml"
        before = files(file.parent / "site")
        seen = []
        with pytest.raises(DiskError) as caught:
            pipeline.build(file, pdf=False, advance=lambda stage, *_: seen.append(stage))
        named = {"site": "site", ".fervis": ".fervis", ".": "site"}[which]
        assert str(file.parent / named) in str(caught.value)
        assert "writ" in str(caught.value)
        assert seen == ["check"]
        assert files(file.parent / "site") == before

    unprivileged(prepare, check)
