"""Where a build's time went: seconds of each stage and analysis, and pictures a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fervis.cli.progress import WORDS

Advance = Callable[[str, int, int], None]

COUNTED = "probabilities"
"""The stage that is nothing but forward passes of the network."""


class Profile:
    """Hears what ``then`` hears, and takes the time."""

    def __init__(self, then: Advance) -> None:
        self._then = then
        self._spent: dict[str, float] = {}
        self._done: dict[str, int] = {}
        self._earlier: dict[str, int] = {}
        self._stage = ""
        self._since = self._begun = time.perf_counter()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of ``stage`` are finished."""
        self._charge()
        if done < self._done.get(stage, 0):  # the same analysis again, with other options
            self._earlier[stage] = self._earlier.get(stage, 0) + self._done[stage]
        self._stage, self._done[stage] = stage, done
        self._spent.setdefault(stage, 0.0)
        self._then(stage, done, total)

    def lines(self) -> Iterator[str]:
        """A line a stage in the order in which they came, then the whole."""
        self._charge()
        for stage, seconds in self._spent.items():
            done = self._done[stage] + self._earlier.get(stage, 0)
            line = f"{seconds:8.2f} s  {WORDS.get(stage, f'Computing {stage}')}"
            if done > 1 and seconds > 0:
                line += f": {done}, {done / seconds:.0f} a second"
            yield line
        yield f"{time.perf_counter() - self._begun:8.2f} s  in all"

    @property
    def pictures_per_second(self) -> float | None:
        """Of the stage that predicts the whole split; None where it was not needed."""
        seconds = self._spent.get(COUNTED, 0.0)
        return self._done[COUNTED] / seconds if seconds and self._done[COUNTED] else None

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._stage:
            self._spent[self._stage] += now - self._since
        self._since = now


def peak() -> float:
    """Operations a second of this machine's float32 matrix product, the best of five tries.

    A multiplication and an addition are two operations.
    """
    import torch

    size = 1024
    left, right = torch.ones(size, size), torch.ones(size, size)
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best
