"""Presses: processes that set PDFs, one language each, and load WeasyPrint while pages are made."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fervis.render.errors import PdfError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sheet:
    """A PDF to set: ``html`` styled by ``css``, to be written to ``name`` in the site."""

    name: str
    html: str
    css: str
    identifier: bytes


class Presses:
    """``count`` processes that wait for work; as a context they end with it.

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
            for _ in range(min(count, os.cpu_count() or 1)):
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
            jobs = [
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
            for start in range(0, len(jobs), max(1, len(self._processes))):
                part = jobs[start : start + max(1, len(self._processes))]
                workers: Sequence[subprocess.Popen[str] | None] = self._processes or [None]
                busy = [
                    (job, process if _sent(process, job) else None)
                    for job, process in zip(part, workers, strict=False)
                ]
                for job, process in busy:
                    said = process.stdout.readline() if process and process.stdout else ""
                    complaint = json.loads(said) if said else _set(job)
                    if complaint:
                        raise PdfError(complaint)


def _sent(process: subprocess.Popen[str] | None, job: Mapping[str, object]) -> bool:
    if process is None or process.stdin is None:
        return False
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    except OSError:  # it has died
        return False
    return True


def _set(job: Mapping[str, object]) -> str:
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
    """Sets sheets from standard input, one a line, until it is closed."""
    import weasyprint  # noqa: F401 (while there is nothing else to do)

    answers, sys.stdout = sys.stdout, sys.stderr
    gc.disable()  # a page's boxes live as long as the page; looking through them takes its time
    for line in sys.stdin:
        answers.write(json.dumps(_set(json.loads(line))) + "\n")
        answers.flush()
        gc.collect()
