"""Ctrl-C, SIGTERM and a closed terminal: stop soon, leave nothing half-written."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

PATIENCE_S = 1.2
"""For Python to unwind; then the process ends at once. Nothing is lost: all writing is atomic."""

_NAMES = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal asked this process to end; whatever cleans up after Ctrl-C does after this."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def exit_code(error: BaseException | None) -> int:
    """What the shell expects of a process that was stopped by ``error``."""
    while error is not None:
        if isinstance(error, Stopped):
            return error.exit_code
        error = error.__cause__ or error.__context__
    return 128 + signal.SIGINT


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    raise Stopped(number)


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise Stopped; who ignores SIGHUP (nohup) goes on ignoring."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in _NAMES:
        number = getattr(signal, name)
        if signal.getsignal(number) == signal.SIG_DFL:
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def promptly(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Within it a stop comes through even where Python hears no signal: in a network's long call.

    A thread learns of the signal from the system. If the block is not left in time, it ends the
    process and those that it started.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, wakes = socket.socketpair()
    wakes.setblocking(False)
    before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    left = threading.Event()

    def watch() -> None:
        stops = {signal.SIGINT, *(getattr(signal, name) for name in _NAMES)}
        while numbers := heard.recv(64):
            asked = [n for n in numbers if n in stops and signal.getsignal(n) != signal.SIG_IGN]
            if asked and not left.wait(patience_s):
                for child in _children():
                    with contextlib.suppress(OSError):
                        os.kill(child, signal.SIGKILL)
                os._exit(128 + asked[0])

    thread = threading.Thread(target=watch, name="stopping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        wakes.close()
        thread.join()
        heard.close()


def _children() -> list[int]:
    """Processes that this one started, where the system tells (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for task in Path("/proc/self/task").iterdir():
            found += map(int, (task / "children").read_text("ascii").split())
    return found
