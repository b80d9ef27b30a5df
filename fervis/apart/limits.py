"""What the process of a stranger's network may do: memory, time, environment, writing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT = (
    "PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "SOURCE_DATE_EPOCH",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT",
)  # fmt: skip
"""Variables that a child sees; whatever else is in the environment, such as keys, it does not."""

LIBRARIES = 16 << 30
"""Address space beyond the memory: libraries are mapped, not held. Bounds shared memory, too."""

LARGEST_FILE = 4 << 30

HOUR_S = 3600.0
"""What a build may take where nobody says another time."""

_LEAST_MEMORY = 4 << 30
_CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container, seen from within

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # Landlock's system calls, the same on all machines
_WRITES = (1 << 1) | sum(1 << bit for bit in range(4, 13))  # write, remove, make
_REFER, _TRUNCATE = 1 << 13, 1 << 14  # since versions 2 and 3
_TCP = 0b11  # bind and connect, since version 4
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL = 38, 1  # linux/prctl.h
_CAPABILITIES, _OF_FILES = 0x20080522, 0b11111  # linux/capability.h: CHOWN, DAC_*, FOWNER, FSETID


@dataclass(frozen=True)
class Limits:
    """Of one build: bytes of memory, seconds of processor time and on the clock; None: no limit."""

    memory: int | None = None
    processor_s: float | None = None
    clock_s: float | None = None


def share_of_memory(at_once: int) -> int | None:
    """Bytes for each of ``at_once`` builds, so that together they leave the machine some.

    At least 4 GB, which every report has room in; None where the system does not tell.
    """
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    with contextlib.suppress(OSError, ValueError):  # "max" is no number
        whole = min(whole, int(_CGROUP.read_text("ascii")))
    return max(_LEAST_MEMORY, whole * 9 // 10 // at_once)


def environment(given: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """The few variables of ``given`` that a build needs; home and the like in ``scratch``."""
    kept = {name: given[name] for name in KEPT if name in given}
    return {**kept, "HOME": str(scratch), "TMPDIR": str(scratch), "XDG_CACHE_HOME": str(scratch)}


WRITING, CONNECTING = "writing elsewhere", "TCP connections"
"""What some systems cannot prevent."""


def confine(limits: Limits, writable: Sequence[Path]) -> tuple[str, ...]:
    """Limits this process for good, to writing below ``writable``; says what is not prevented."""
    _limit_resources(limits)
    if sys.platform != "linux":
        return WRITING, CONNECTING
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _plain_root(library)
    return _landlocked(library, writable)


def _plain_root(library: ctypes.CDLL) -> None:
    """Root keeps its way with files and loses all else (capabilities(7)).

    Such as CAP_PERFMON, with which Linux shows it the environment of the process outside
    whatever Landlock says. For other users there is nothing to lose.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 bits of each
    if library.capget(header, sets) == 0:
        kept = [bits & (_OF_FILES if place < 3 else 0) for place, bits in enumerate(sets)]
        library.capset(header, (ctypes.c_uint32 * 6)(*kept))


def _limit_resources(limits: Limits) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return

    def limit(name: str, value: float) -> None:
        with contextlib.suppress(ValueError, OSError, AttributeError):
            kind = getattr(resource, name)
            most = resource.getrlimit(kind)[1]
            wanted = int(value) if most == resource.RLIM_INFINITY else min(int(value), most)
            resource.setrlimit(kind, (wanted, wanted))

    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", LARGEST_FILE)
    if limits.memory is not None:
        limit("RLIMIT_DATA", limits.memory)
        limit("RLIMIT_AS", limits.memory + LIBRARIES)
    if limits.processor_s is not None:
        limit("RLIMIT_CPU", max(1, limits.processor_s))


def _landlocked(library: ctypes.CDLL, writable: Sequence[Path]) -> tuple[str, ...]:
    """No writing elsewhere and no TCP, by Linux' Landlock (landlock(7)); for root as well."""
    version = landlock_version(library)
    if version < 1:
        return WRITING, CONNECTING
    rights = _WRITES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled = (ctypes.c_uint64 * 2)(rights, _TCP if version >= 4 else 0)
    size = 16 if version >= 4 else 8
    rules = library.syscall(_CREATE, handled, ctypes.c_size_t(size), 0)
    if rules < 0:
        return WRITING, CONNECTING
    try:
        for path in [*writable, Path("/dev/null")]:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                own = rights if path.is_dir() else rights & ((1 << 1) | _TRUNCATE)
                rule = own.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
                if library.syscall(_ADD, rules, 1, rule, 0) != 0:
                    return WRITING, CONNECTING
            finally:
                os.close(place)
        if library.syscall(_RESTRICT, rules, 0) != 0:
            return WRITING, CONNECTING
        return () if version >= 4 else (CONNECTING,)
    finally:
        os.close(rules)


def landlock_version(library: ctypes.CDLL) -> int:
    """What this kernel's Landlock can do; below 1: it has none."""
    return int(library.syscall(_CREATE, None, ctypes.c_size_t(0), 1))
