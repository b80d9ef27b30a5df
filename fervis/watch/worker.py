"""The process that builds: it keeps torch in memory, and if it dies the server lives on."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fervis.errors import Complaint, FervisError, ReportError
from fervis.pipeline import Outcome

Advance = Callable[[str, int, int], None]
PATIENCE_S = 1.0  # for a process to end by itself before it is killed
OFTEN_S = 0.1  # between two words about progress


@dataclass(frozen=True)
class Order:
    """What to build: the arguments of ``fervis.build``."""

    file: Path
    site: Path
    cache: Path | None = None
    overrides: tuple[str, ...] = ()
    keep_going: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a build: its outcome, or what was wrong; problems are (place, sentence)."""

    outcome: Outcome | None
    problems: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    @property
    def published(self) -> bool:
        """Whether the site is that of the files as they are now."""
        return self.outcome is not None and self.outcome.published


class Worker:
    """Builds one order again and again, in a process of its own."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    async def build(self, changed: Iterable[Path], advance: Advance) -> Answer:
        """Builds. After a change of code in a new process: Python keeps modules it has loaded."""
        if any(path.suffix == ".py" for path in changed):
            self.stop()
        pipe = self._started()
        begun = time.perf_counter()
        try:
            pipe.send("build")
            while True:
                said = await asyncio.to_thread(pipe.recv)
                if isinstance(said, Answer):
                    return said
                advance(*said)
        except (EOFError, OSError):
            code = self._ended()
            words = f"the build process ended with exit code {code}; out of memory?"
            return Answer(None, (("", words),), time.perf_counter() - begun)

    def stop(self) -> None:
        """Ends the process, whatever it does; finished results are in the store already."""
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if process is not None:
            process.terminate()
            process.join(PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()
        if pipe is not None:
            pipe.close()

    def _started(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self.stop()
            here, there = self._context.Pipe()
            self._process = self._context.Process(
                target=_serve, args=(there, self._order), daemon=True, name="fervis build"
            )
            self._process.start()
            there.close()
            self._pipe = here
        return self._pipe

    def _ended(self) -> int | None:
        process = self._process
        if process is not None:
            process.join(PATIENCE_S)
        code = None if process is None else process.exitcode
        self.stop()
        return code


def _serve(pipe: Connection, order: Order) -> None:
    """Runs in the other process until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.recv()
            pipe.send(_built(pipe, order))


def _built(pipe: Connection, order: Order) -> Answer:
    from fervis import pipeline

    begun, last = time.perf_counter(), 0.0
    seen = ""

    def advance(stage: str, done: int, total: int) -> None:
        nonlocal last, seen
        now = time.perf_counter()
        if stage != seen or done == total or now - last > OFTEN_S:
            last, seen = now, stage
            pipe.send((stage, done, total))

    outcome, problems = None, list[tuple[str, str]]()
    try:
        outcome = pipeline.build(
            order.file,
            out=order.site,
            cache=order.cache,
            overrides=order.overrides,
            keep_going=order.keep_going,
            advance=advance,
        )
        problems = [("", failure) for failure in outcome.failures]
    except ReportError as error:
        problems = [_located(complaint) for complaint in error.complaints]
    except FervisError as error:
        problems = [("", str(error))]
    except Exception as error:  # a bug must not end the session; its place is what helps
        where = traceback.extract_tb(error.__traceback__)[-1]
        problems = [(f"{where.filename}:{where.lineno}", f"{type(error).__name__}: {error}")]
    return Answer(outcome, tuple(problems), time.perf_counter() - begun)


def _located(complaint: Complaint) -> tuple[str, str]:
    place = complaint.file
    if complaint.line:
        place = f"{complaint.file}:{complaint.line}:{complaint.column}"
    sentence = ": ".join(part for part in (complaint.path, complaint.message) if part)
    return place, sentence
