"""Keeping what is dear to make and depends on a text alone: cut fonts, set formulas."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_CHECK = hashlib.sha256().digest_size


def kept(cache: Path | None, recipe: str, make: Callable[[], bytes]) -> bytes:
    """What ``make()`` gives, remembered in ``cache`` under ``recipe``.

    ``recipe`` says all that the bytes depend on. A damaged file is noticed and made again, a
    folder that cannot be written to costs time and nothing else.
    """
    if cache is None:
        return make()
    file = cache / "kept" / hashlib.sha256(recipe.encode()).hexdigest()[:40]
    stored = _read(file)
    if stored is not None:
        return stored
    content = make()
    _write(file, content)
    return content


def recall(cache: Path | None, place: str, recipe: str) -> bytes | None:
    """What was last put by under ``place``, if it was made by the same ``recipe``."""
    stored = None if cache is None else _read(cache / "last" / place)
    digest = hashlib.sha256(recipe.encode()).digest()
    return stored[_CHECK:] if stored and stored[:_CHECK] == digest else None


def put_by(cache: Path | None, place: str, recipe: str, content: bytes) -> None:
    """Remembers ``content`` under ``place`` instead of what was there.

    For what changes with every edit, so that edits do not pile up.
    """
    if cache is not None:
        _write(cache / "last" / place, hashlib.sha256(recipe.encode()).digest() + content)


def _read(file: Path) -> bytes | None:
    try:
        stored = file.read_bytes()
    except OSError:
        return None
    sound = hashlib.sha256(stored[_CHECK:]).digest() == stored[:_CHECK]
    return stored[_CHECK:] if sound else None


def _write(file: Path, content: bytes) -> None:
    beside = file.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(hashlib.sha256(content).digest() + content)
        beside.replace(file)
