"""Presses: processes that set PDFs, one language each, and load WeasyPrint while pages are made.

On Linux one process loads it and forks for every further language; elsewhere libraries that
WeasyPrint calls may not survive a fork, and each language has a process that loads it again.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fervis.forked import FORKS, Forked
from fervis.render.errors import PdfError

ROOT = Path(__file__).resolve().parents[2]

Job = dict[str, object]


@dataclass(frozen=True)
class Sheet:
    """A PDF to set: ``html`` styled by ``css``, to be written to ``name`` in the site."""

    name: str
    html: str
    css: str
    identifier: bytes


class Presses:
    """What sets up to ``count`` PDFs at a time; as a context its processes end with it.

    Where the system starts no process, the work is done here.
    """

    def __init__(self, count: int) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        # WeasyPrint puts fonts into a folder of its own, and leaves it there when it is killed.
        self._scratch = tempfile.TemporaryDirectory(prefix="fervis-", ignore_cleanup_errors=True)
        # A fixed hash seed, so that no set's order can reach a PDF.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": self._scratch.name}
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([known] if known else [])])
        # -P: a file of the reader's that is named like a library must not be taken for it.
        command = [sys.executable, "-P", "-c", f"from {__name__} import main; main()"]
        with contextlib.suppress(OSError):
            for _ in range(min(count, 1 if FORKS else os.cpu_count() or 1)):
                self._processes.append(
                    subprocess.Popen(  # noqa: S603 (this interpreter, this module)
                        command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                        encoding="utf-8",
                        env=environment,
                    )
                )

    def __enter__(self) -> Presses:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self._scratch.cleanup()

    def run(self, sheets: Sequence[Sheet], folder: Path, fonts: Mapping[str, bytes]) -> None:
        """Writes every sheet's PDF into ``folder``, a finished site.

        ``fonts`` are read in place of the site's files of the same names. Raises PdfError with
        what is wrong with the first sheet that cannot be set.
        """
        with tempfile.TemporaryDirectory(prefix="fervis-") as scratch:
            instead = {}
            for number, (path, font) in enumerate(fonts.items()):
                instead[path] = str(Path(scratch, f"{number}.ttf"))
                Path(instead[path]).write_bytes(font)
            jobs: list[Job] = [
                {
                    "html": sheet.html,
                    "css": sheet.css,
                    "folder": str(folder),
                    "name": sheet.name,
                    "identifier": sheet.identifier.hex(),
                    "instead": instead,
                }
                for sheet in sheets
            ]
            workers: Sequence[subprocess.Popen[str] | None] = self._processes or [None]
            shares = [jobs[place :: len(workers)] for place in range(len(workers))]
            busy = [
                (share, process if _sent(process, share) else None)
                for share, process in zip(shares, workers, strict=True)
            ]
            complaints: dict[object, str] = {}
            for share, process in busy:
                said = process.stdout.readline() if process and process.stdout else ""
                answers = json.loads(said) if said else [None] * len(share)
                for job, answer in zip(share, answers, strict=True):
                    complaints[job["name"]] = _set(job) if answer is None else answer
            for sheet in sheets:
                if complaints[sheet.name]:
                    raise PdfError(complaints[sheet.name])


def _sent(process: subprocess.Popen[str] | None, jobs: Sequence[Job]) -> bool:
    if process is None or process.stdin is None:
        return False
    try:
        process.stdin.write(json.dumps(jobs) + "\n")
        process.stdin.flush()
    except OSError:  # it has died
        return False
    return True


def _nowhere(name: str) -> str | None:
    del name
    return None


def _load() -> None:
    """Imports WeasyPrint.

    It asks for each of its libraries by several names, and ctypes runs a program or two for every
    name to look for; of all names Linux' own loader knows the last one by itself.
    """
    find = ctypes.util.find_library
    if FORKS:
        with contextlib.suppress(OSError):
            ctypes.util.find_library = _nowhere
            try:
                import weasyprint
            finally:
                ctypes.util.find_library = find
            return
    import weasyprint  # noqa: F401 (loaded for what comes, not used here)


def _all_set(jobs: Sequence[Job]) -> list[str | None]:
    """What is wrong with each sheet; None where the process that should set it has died."""
    at_once = (os.cpu_count() or 1) if FORKS else 1
    answers: list[str | None] = []
    for start in range(0, len(jobs), at_once):
        mine, *others = jobs[start : start + at_once]
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(Forked(partial(_set, job))) for job in others]
            answers += [_set(mine), *(child.answer() for child in children)]
    return answers


def _set(job: Job) -> str:
    """Sets one sheet; returns what is wrong with it, or nothing."""
    from fervis.render.pdf import pdf_bytes

    instead = job["instead"]
    assert isinstance(instead, dict)  # noqa: S101
    folder = Path(str(job["folder"]))
    try:
        content = pdf_bytes(
            str(job["html"]),
            str(job["css"]),
            folder,
            bytes.fromhex(str(job["identifier"])),
            {path: Path(file) for path, file in instead.items()},
        )
    except PdfError as error:
        return str(error)
    (folder / str(job["name"])).write_bytes(content)
    return ""


def main() -> None:
    """Sets the sheets of each line of standard input, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it, and ends it
    answers, sys.stdout = sys.stdout, sys.stderr
    _load()  # while there is nothing else to do
    gc.disable()  # a page's boxes live as long as the page; looking through them takes its time
    for line in sys.stdin:
        answers.write(json.dumps(_all_set(json.loads(line))) + "\n")
        answers.flush()
        gc.collect()
