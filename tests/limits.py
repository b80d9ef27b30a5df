"""What one hostile file may cost: 5 s of this process' time and 1 GB, measured around a test."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 5.0
BYTES = 1 << 30
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@pytest.fixture
def frugal() -> Iterator[None]:
    """Fails a test that takes more than 5 s of processor time or 1 GB beyond what there was."""
    _forget_peak()
    held, begun = _bytes("VmRSS"), time.process_time()
    yield
    assert time.process_time() - begun < SECONDS
    assert _bytes("VmHWM") - held < BYTES


def _forget_peak() -> None:
    if sys.platform == "linux":
        _CLEAR.write_text("5")  # proc(5): VmHWM counts from here


def _bytes(name: str) -> int:
    if sys.platform != "linux":  # the peak of the whole process, in bytes on macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if name == "VmHWM" else 0
    lines = _STATUS.read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
