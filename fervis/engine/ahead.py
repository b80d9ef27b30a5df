"""What analyses need of pictures alone, found by another process while this one loads torch."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from numpy.typing import NDArray

from fervis.analyses import REGISTRY
from fervis.engine.plan import Task
from fervis.forked import FORKS, Forked

_PATIENCE_S = 30.0
"""Sixty-four pictures take a few seconds at most; then something is wrong with the child."""

Found = dict[str, Any]
Pictures = Callable[[Sequence[Task]], NDArray[Any]]
"""tasks → their pictures (N, H, W, C) uint8."""


class Ahead:
    """``beforehand()`` of the analyses that have one, for the first tasks of each, by task key.

    As a context its process ends with it. Nothing is found, and nobody waits, where there is no
    second processor, no safe way to start a process, or nothing to load meanwhile.
    """

    def __init__(self, batches: Sequence[Sequence[Task]], pictures: Pictures) -> None:
        self._stack = ExitStack()
        self._child: Forked[Found] | None = None
        self._found: Mapping[str, Any] = {}
        asked = [batch for batch in batches if hasattr(REGISTRY[batch[0].analysis], "beforehand")]
        self._keys = {task.key for batch in asked for task in batch}
        if not asked or not _pays():
            return

        def work() -> Found:
            return {
                task.key: value
                for batch in asked
                for task, value in zip(batch, _of(batch, pictures), strict=True)
            }

        try:
            self._child = self._stack.enter_context(Forked(work))
        except OSError:  # no more processes here: compute() will do it
            return

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, batch: Sequence[Task]) -> Sequence[Any]:
        """What was found for each of ``batch``; empty if it is not known of all."""
        if self._child and any(task.key in self._keys for task in batch):
            self._found = self._child.answer(_PATIENCE_S) or {}
            self._child = None
        known = [self._found[task.key] for task in batch if task.key in self._found]
        return known if len(known) == len(batch) else ()


def _of(batch: Sequence[Task], pictures: Pictures) -> Sequence[Any]:
    beforehand: Callable[..., Sequence[Any]] = vars(REGISTRY[batch[0].analysis])["beforehand"]
    return beforehand(pictures(batch), batch[0].options)


def _pays() -> bool:
    """Whether there is something to load meanwhile, and a child starts as its parent is.

    Threads do not follow into a fork; what they hold, it would wait for. Those of fervis' own,
    which listen for signals or draw a progress bar, hold nothing that it needs.
    """
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    return (
        FORKS
        and "torch" not in sys.modules
        and all(thread.daemon for thread in others)
        and len(os.sched_getaffinity(0)) > 1
    )
