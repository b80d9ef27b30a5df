"""Presses: PDFs from other processes, and the last ones again where nothing they show changed."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from fervis.forked import FORKS
from fervis.render import render, template_folders
from fervis.render.errors import PdfError
from fervis.render.keep import put_by, recall
from fervis.render.press import Presses, Sheet
from fervis.render.type import type_for
from tests.render.sample import sample

PAGE = '<!doctype html><html lang="en"><head><title>t</title></head><body><p>{}</p></body></html>'


def _sheet(name: str, body: str) -> Sheet:
    return Sheet(name, PAGE.format(body), "", b"0123456789abcdef")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "fonts.css").write_text("")
    return tmp_path


@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_sheet_is_set_by_any_number_of_presses(folder: Path, count: int) -> None:
    sheets = [_sheet(f"{number}.pdf", str(number)) for number in range(3)]
    with Presses(count) as presses:
        presses.run(sheets, folder, {})
    made = [(folder / sheet.name).read_bytes() for sheet in sheets]
    assert all(each.startswith(b"%PDF") for each in made)
    assert len(set(made)) == 3


def test_what_is_wrong_with_a_sheet_is_said_as_without_a_press(folder: Path) -> None:
    with Presses(1) as presses, pytest.raises(PdfError, match=r"nothing\.png"):
        presses.run([_sheet("a.pdf", '<img src="nothing.png" alt="x">')], folder, {})


def test_a_press_that_is_stopped_at_work_leaves_nothing_behind(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("TMPDIR", str(scratch))
    (folder / "a.ttf").write_bytes(type_for(["x"], None).unpacked["fonts/sans.woff2"])
    (folder / "style" / "fonts.css").write_text("@font-face{font-family:a;src:url(../a.ttf)}")
    with Presses(1) as presses:
        job = {"html": PAGE.format("<p>x</p>" * 20_000), "css": "", "folder": str(folder),
               "name": "a.pdf", "identifier": "00", "instead": {}}  # fmt: skip
        stream = presses._processes[0].stdin
        assert stream is not None
        stream.write(json.dumps([job, job]) + "\n")
        stream.flush()
        for _ in range(400):
            if list(scratch.rglob("weasyprint-*")):
                break
            time.sleep(0.05)
        assert list(scratch.rglob("weasyprint-*"))
        below = _children(presses._processes[0].pid)
    assert not list(scratch.iterdir())
    if FORKS:
        assert len(below) == min(1, (os.cpu_count() or 1) - 1)
    for _ in range(100):
        if not any(map(_runs, below)):
            break
        time.sleep(0.02)
    assert not any(map(_runs, below))


def _children(process: int) -> list[int]:
    """Of a process on Linux; elsewhere a press has none."""
    try:
        said = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    except OSError:
        return []
    return [int(number) for number in said.split()]


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_press_that_died_is_made_up_for(folder: Path) -> None:
    with Presses(1) as presses:
        presses._processes[0].kill()
        presses._processes[0].wait()
        presses.run([_sheet("a.pdf", "x")], folder, {})
    assert (folder / "a.pdf").exists()


@pytest.mark.skipif(not FORKS, reason="only on Linux does a press fork")
def test_a_sheet_whose_process_died_is_set_by_somebody_else(folder: Path) -> None:
    done = threading.Event()
    with Presses(1) as presses:
        process = presses._processes[0]
        found: list[int] = []

        def kill() -> None:
            while not (found or done.is_set()):
                found.extend(_children(process.pid))
            for number in found:
                os.kill(number, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        sheets = [_sheet(f"{number}.pdf", f"<p>{number}</p>" * 900) for number in range(2)]
        presses.run(sheets, folder, {})
        done.set()
        killer.join()
    assert found or os.cpu_count() == 1  # one processor sets one sheet after the other
    assert all((folder / sheet.name).read_bytes().startswith(b"%PDF") for sheet in sheets)


def test_the_same_pages_need_no_press(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, cache = (tmp_path / name for name in ("first", "second", "cache"))
    for folder in (first, second):
        folder.mkdir()
    render(sample(("en",)), first, templates=template_folders(), cache=cache)

    def refuse(*_: object) -> None:
        raise AssertionError("a PDF was set again")

    monkeypatch.setattr(Presses, "run", refuse)
    render(sample(("en",)), second, templates=template_folders(), cache=cache)
    assert (first / "report.pdf").read_bytes() == (second / "report.pdf").read_bytes()


def test_only_the_last_is_put_by_and_only_its_recipe_recalls_it(tmp_path: Path) -> None:
    put_by(tmp_path, "a", "one", b"1")
    put_by(tmp_path, "a", "two", b"2")
    assert recall(tmp_path, "a", "one") is None
    assert recall(tmp_path, "a", "two") == b"2"
    assert recall(None, "a", "two") is None
    file = tmp_path / "last" / "a"
    file.write_bytes(file.read_bytes()[:-1] + b"3")
    assert recall(tmp_path, "a", "two") is None
