"""Work in a forked process, on Linux: what is loaded here is there at once, and both go on.

Elsewhere libraries may not survive a fork, and nobody should ask for one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import selectors
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Generic, TypeVar

FORKS = sys.platform == "linux"
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h

T = TypeVar("T")


class Forked(Generic[T]):
    """``work()`` by a child of this process; as a context the child ends with it.

    Raises OSError where the system starts no process.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        parent, library = os.getpid(), ctypes.CDLL(None)
        self._reading, writing = os.pipe()
        try:
            with warnings.catch_warnings():
                # Python warns of threads that numpy's linear algebra keeps, and puts right itself.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
        except OSError:
            os.close(self._reading)
            os.close(writing)
            raise
        if child == 0:
            _work(work, parent, library, writing)
        os.close(writing)
        self._child: int | None = child

    def __enter__(self) -> Forked[T]:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)
            self.answer()

    def answer(self, patience_s: float | None = None) -> T | None:
        """What ``work()`` gave, once; None where it raised, or the child has died.

        It is killed if it has nothing to say within ``patience_s``.
        """
        if self._child is None:
            return None
        with selectors.DefaultSelector() as wait:
            wait.register(self._reading, selectors.EVENT_READ)
            if not wait.select(patience_s):
                os.kill(self._child, signal.SIGKILL)
        with os.fdopen(self._reading, "rb") as stream:
            said = stream.read()
        _, status = os.waitpid(self._child, 0)
        self._child = None
        # Written by this very program a moment ago.
        return pickle.loads(said) if said and status == 0 else None  # noqa: S301


def _work(work: Callable[[], object], parent: int, library: ctypes.CDLL, writing: int) -> None:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, and ends both
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        library.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == parent:
            with contextlib.suppress(Exception):
                with os.fdopen(writing, "wb") as stream:
                    stream.write(pickle.dumps(work()))
                status = 0
    finally:
        os._exit(status)  # whatever happened: nothing of the parent's may run twice
