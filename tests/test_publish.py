from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fervis import publish
from fervis.errors import MachineError
from fervis.publish import MARKER, repair, staging, swap


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "project" / "site"


def publish_as(text: str, site: Path) -> None:
    with staging(site) as new:
        (new / "index.html").write_text(text)
        (new / text).mkdir()
        (new / text / "picture.png").write_text(text)
        swap(new, site)


def shown(site: Path) -> str:
    """What a whole site says; fails if two builds are mixed in it."""
    text = (site / "index.html").read_text()
    assert (site / text / "picture.png").read_text() == text
    assert {item.name for item in site.iterdir()} - {".gitkeep", MARKER} == {"index.html", text}
    return text


def beside(site: Path) -> set[str]:
    return {item.name for item in site.parent.iterdir()} - {"site"}


@pytest.fixture(params=["exchange", "rename aside"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "rename aside":
        monkeypatch.setattr(publish, "_exchange", lambda new, site: False)
    return request.param


@pytest.mark.usefixtures("way")
def test_a_new_site_takes_the_place_of_none_and_of_an_old_one(site: Path) -> None:
    publish_as("first", site)
    assert shown(site) == "first"
    publish_as("second", site)
    assert shown(site) == "second"
    assert beside(site) <= {".site.lock"}


@pytest.mark.usefixtures("way")
def test_gitkeep_survives(site: Path) -> None:
    site.mkdir(parents=True)
    (site / ".gitkeep").touch()
    publish_as("first", site)
    publish_as("second", site)
    assert (site / ".gitkeep").is_file()
    assert shown(site) == "second"


@pytest.mark.skipif(sys.platform != "linux", reason="the exchange is Linux's")
def test_linux_exchanges_in_one_step(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_as("first", site)
    monkeypatch.setattr(publish, "_rename_aside", None)
    publish_as("second", site)
    assert shown(site) == "second"


@pytest.mark.skipif(sys.platform != "linux", reason="the exchange is Linux's")
def test_a_reader_always_finds_a_site(site: Path) -> None:
    publish_as("0", site)
    done = threading.Event()
    missing = []

    def read() -> None:
        while not done.is_set():
            try:
                (site / "index.html").stat()
            except FileNotFoundError:
                missing.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(30):
        publish_as(str(turn), site)
    done.set()
    reader.join()
    assert not missing


def test_a_failed_build_leaves_the_old_site_and_nothing_else(site: Path) -> None:
    publish_as("first", site)

    def fail() -> None:
        with staging(site) as new:
            (new / "index.html").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert shown(site) == "first"
    assert beside(site) == set()


def test_the_folder_of_a_living_build_stays_and_that_of_a_dead_one_goes(site: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from fervis.publish import staging\n"
        "with staging(Path(sys.argv[1])) as new: print(new, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(site)], stdout=subprocess.PIPE,
                             text=True)  # fmt: skip
    assert child.stdout is not None
    theirs = Path(child.stdout.readline().strip())
    repair(site)
    assert theirs.is_dir()
    child.kill()
    child.wait()
    child.stdout.close()
    assert theirs.is_dir()
    repair(site)
    assert not theirs.exists()


def test_a_swap_cut_between_its_renames_is_undone_at_the_next_start(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_as("first", site)
    aside = site.with_name(".site.old-12345678")
    site.rename(aside)
    new = site.with_name(".site.new-12345678")
    new.mkdir()
    repair(site)
    assert shown(site) == "first"
    assert beside(site) <= {".site.lock"}


def test_a_swap_cut_after_its_renames_keeps_the_new_site(site: Path) -> None:
    publish_as("first", site)
    site.rename(site.with_name(".site.old-12345678"))
    publish_as("second", site.with_name("elsewhere"))
    site.with_name("elsewhere").rename(site)
    repair(site)
    assert shown(site) == "second"
    assert beside(site) <= {".site.lock"}


def test_a_second_rename_that_fails_puts_the_old_site_back(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_as("first", site)
    monkeypatch.setattr(publish, "_exchange", lambda new, site: False)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(MachineError, match="Input/output"):
        publish_as("second", site)
    assert shown(site) == "first"


LOOP = """
import sys; from pathlib import Path; from fervis import publish
site = Path(sys.argv[1])
if sys.argv[2] == "rename aside":
    publish._exchange = lambda new, site: False
print("go", flush=True)
for turn in range(10**6):
    with publish.staging(site) as new:
        (new / "index.html").write_text(str(turn))
        (new / str(turn)).mkdir()
        (new / str(turn) / "picture.png").write_text(str(turn))
        publish.swap(new, site)
"""


@pytest.mark.parametrize("way", ["exchange", "rename aside"])
def test_whenever_a_build_is_killed_the_site_is_whole(site: Path, way: str) -> None:
    publish_as("first", site)
    for kill in range(6):
        child = subprocess.Popen([sys.executable, "-c", LOOP, str(site), way],
                                 stdout=subprocess.PIPE)  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.013 * (kill + 1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if way == "exchange":
            shown(site)  # before any repair
        repair(site)
        shown(site)
        assert beside(site) <= {".site.lock"}


@pytest.mark.parametrize("way", ["exchange", "rename aside"])
def test_two_builds_at_once_leave_one_whole_site(site: Path, way: str) -> None:
    publish_as("first", site)
    code = LOOP.replace("10**6", "40")
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(site), way], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [child.wait() for child in children] == [0, 0]
    shown(site)
    assert beside(site) <= {".site.lock"}


@pytest.mark.parametrize("names", [["thesis.tex"], [".git", MARKER], [".git"]])
def test_a_folder_with_other_peoples_files_is_refused(site: Path, names: list[str]) -> None:
    site.mkdir(parents=True)
    for name in names:
        (site / name).write_text("precious")
    with pytest.raises(MachineError, match="did not write") as caught:
        publish_as("first", site)
    assert str(site) in str(caught.value)
    assert {item.name for item in site.iterdir()} == set(names)
    assert beside(site) == set()


def test_a_file_in_place_of_the_site_is_refused(site: Path) -> None:
    site.parent.mkdir()
    site.write_text("mine")
    with pytest.raises(MachineError, match="is a file"):
        publish_as("first", site)


def test_a_link_named_site_stays_a_link(site: Path, tmp_path: Path) -> None:
    site.parent.mkdir()
    (tmp_path / "www").mkdir()
    site.symlink_to(tmp_path / "www")
    publish_as("first", site)
    assert site.is_symlink()
    assert shown(tmp_path / "www") == "first"


def test_chinese_and_emoji_in_the_path(tmp_path: Path) -> None:
    site = tmp_path / "作業 三 😀" / "我的 site"
    publish_as("first", site)
    publish_as("second", site)
    assert shown(site) == "second"


def test_a_full_disk_keeps_the_old_site(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_as("first", site)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="disk is full"):
        publish_as("second", site)
    assert shown(site) == "first"
    assert beside(site) == set()


Unprivileged = Callable[[Callable[[Path], None], Callable[[Path], None]], None]


@pytest.mark.parametrize("locked", ["site", "parent"])
def test_a_site_that_may_not_be_written_is_a_clear_error(
    unprivileged: Unprivileged, locked: str
) -> None:
    def prepare(folder: Path) -> None:
        site = folder / "site"
        publish_as("first", site)
        if locked == "site":
            folder.chmod(0o777)
        else:
            site.chmod(0o777)

    def check(folder: Path) -> None:
        site = folder / "site"
        with pytest.raises(MachineError, match="Permission denied") as caught:
            publish_as("second", site)
        assert str(site) in str(caught.value)
        assert shown(site) == "first"
        assert beside(site) == set()

    unprivileged(prepare, check)
