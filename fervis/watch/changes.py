"""Waiting for a change, with watchfiles; what it cannot see is found by time and size."""

from __future__ import annotations

import asyncio
from pathlib import Path

from watchfiles import awatch

from fervis.watch.sources import Snapshot, Sources

SETTLE_MS = 300
"""Editors write in several steps; a change counts when it has been quiet for this long."""
LOOK_MS = 1000
"""How often the files are looked at where no events come (network drives, some containers)."""


async def first_change(sources: Sources, before: Snapshot) -> frozenset[Path]:
    """The paths that changed, as soon as any did; ``before`` is what was built.

    A change since ``before`` counts too, so that none is lost between building and waiting.
    """
    flat, deep = sources.watched()
    stop = asyncio.Event()
    waiting = [
        asyncio.create_task(_one(sources, before, paths, recursive, stop))
        for paths, recursive in ((flat - deep, False), (deep, True))
        if paths
    ]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return frozenset().union(*(task.result() for task in done))
    finally:
        stop.set()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _one(
    sources: Sources,
    before: Snapshot,
    paths: frozenset[Path],
    recursive: bool,
    stop: asyncio.Event,
) -> frozenset[Path]:
    first = True
    async for changes in awatch(
        *sorted(paths),
        watch_filter=sources.concern,
        debounce=SETTLE_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=recursive,
        ignore_permission_denied=True,
    ):
        found = frozenset(Path(path) for _, path in changes)
        if not found and not recursive:
            found = _since(sources, before, files_only=not first)
        first = False
        if found:
            return found
    return frozenset()


def _since(sources: Sources, before: Snapshot, *, files_only: bool) -> frozenset[Path]:
    now = sources.snapshot(files_only=files_only)
    known = {str(path) for path in sources.files} if files_only else before.keys() | now.keys()
    return frozenset(Path(path) for path in known if before.get(path) != now.get(path))
