"""One build of a site at a time: the second one waits for its turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from fervis.engine.stamp import stamp_path
from fervis.errors import DiskError

_OFTEN_S = 0.1  # between two looks at a lock that another build holds


@contextlib.contextmanager
def turn(cache: Path, site: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Yields, once no other build of ``site`` runs with this cache, whether it had to wait.

    ``waiting()`` is called before that. The system drops the lock of a process that dies. Builds
    of other sites share the cache side by side. Raises DiskError where the cache is not writable.
    """
    from filelock import FileLock, Timeout

    file = stamp_path(cache, site).with_suffix(".lock")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            lock.acquire(timeout=0)
            waited = False
        except Timeout:
            waiting()
            lock.acquire(poll_interval=_OFTEN_S)
            waited = True
    except OSError as error:
        raise DiskError.of(error, cache, "a build keeps its results there") from error
    try:
        yield waited
    finally:
        lock.release()
