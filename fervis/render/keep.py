"""Keeping what is dear to make and depends on a text alone: cut fonts, set formulas."""

from __future__ import annotations

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
    try:
        stored = file.read_bytes()
        if hashlib.sha256(stored[_CHECK:]).digest() == stored[:_CHECK]:
            return stored[_CHECK:]
    except OSError:
        pass
    content = make()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_bytes(hashlib.sha256(content).digest() + content)
        beside.replace(file)
    except OSError:
        pass
    return content
