"""Build at every change, and show the site in a browser that keeps up: `fervis watch`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fervis.watch.changes import first_change
from fervis.watch.server import Live, Server, State
from fervis.watch.sources import Sources, sources_of
from fervis.watch.worker import Answer, Order, Worker

__all__ = ["Answer", "Told", "watch"]


@dataclass(frozen=True)
class Told:
    """Who is told what: the address once it is open, each build's start, steps and answer."""

    address: Callable[[str], None] = lambda _: None
    change: Callable[[frozenset[Path]], None] = lambda _: None
    progress: Callable[[str, int, int], None] = lambda *_: None
    answer: Callable[[Answer], None] = lambda _: None


def watch(order: Order, told: Told, *, port: int | None = None) -> None:
    """Serves the site on 127.0.0.1 and rebuilds it until Ctrl-C or SIGTERM, then returns.

    Without ``port`` it takes 8000 or the next free one. Raises MachineError where it cannot.
    """
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_watch(order, told, port))


async def _watch(order: Order, told: Told, port: int | None) -> None:
    with contextlib.suppress(NotImplementedError):  # Windows
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio.run made it)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    live = Live()
    server = Server(order.site, live, port)
    worker = Worker(order)
    told.address(server.address)
    try:
        changed: frozenset[Path] = frozenset()
        while True:
            sources = sources_of(order.file)
            before = sources.snapshot()
            live.say(State(live.state.build, "building"))
            answer = await worker.build(changed, _progress(live, told))
            live.say(_state(live.state.build, answer))
            told.answer(answer)
            sources = await _settled(sources, order.file)
            changed = await first_change(sources, before)
            told.change(changed)
    finally:
        worker.stop()
        server.stop()


async def _settled(sources: Sources, file: Path) -> Sources:
    """What to watch from now on: an edit may have named other data while they were built."""
    return sources | await asyncio.to_thread(sources_of, file)


def _progress(live: Live, told: Told) -> Callable[[str, int, int], None]:
    def advance(stage: str, done: int, total: int) -> None:
        live.say(State(live.state.build, "building", stage, done, total))
        told.progress(stage, done, total)

    return advance


def _state(build: int, answer: Answer) -> State:
    """``build`` counts the sites there were: the browser reloads where it has shown another one."""
    if answer.published and answer.outcome is not None and not answer.outcome.unchanged:
        build += 1
    phase: Literal["failed", "done"] = "failed" if answer.problems else "done"
    return State(build, phase, problems=answer.problems, published=answer.published)
