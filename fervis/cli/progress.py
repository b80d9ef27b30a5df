"""Progress: one line a stage, and a bar with the time left on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

import click

WORDS = {
    "wait": "Waiting for another build of this site",
    "check": "Checking report.yaml",
    "load": "Loading the network",
    "probabilities": "Predicting the whole split",
    "draw": "Drawing",
    "render": "Writing pages and PDF",
    "publish": "Publishing",
}


class Progress:
    """Called with (stage, done, total). Quiet −1, normal 0, verbose 1."""

    def __init__(self, verbosity: int = 0) -> None:
        self._verbosity = verbosity
        self._bars = verbosity >= 0 and sys.stderr.isatty()
        self._live: Any = None
        self._tasks: dict[str, Any] = {}
        self._started = time.perf_counter()
        self._stage = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Leaves the terminal to others; the next stage begins anew."""
        if self._live is not None:
            self._live.stop()
        self._live, self._tasks, self._stage = None, {}, ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Shows that ``done`` of ``total`` steps of ``stage`` are finished."""
        if self._verbosity < 0:
            return
        if self._bars and (total > 1 or self._live is not None):
            self._bar(stage, done, total)
        elif stage != self._stage:
            click.echo(self._line(stage, total), err=True)
        self._stage = stage

    def _line(self, stage: str, total: int) -> str:
        words = WORDS.get(stage, f"Computing {stage}")
        if total > 1:
            words += f" ({total})"
        if self._verbosity > 0:
            words = f"{time.perf_counter() - self._started:6.1f} s  {words}"
        return words

    def _bar(self, stage: str, done: int, total: int) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            self._live = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._live.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._live.add_task(
                WORDS.get(stage, f"Computing {stage}"), total=total
            )
        self._live.update(self._tasks[stage], completed=done, total=total)
