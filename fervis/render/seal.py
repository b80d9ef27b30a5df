"""What a build leaves for the next one to trust: kept with a seal that only this user can make.

A cache may come with a stranger's project. Numbers and pictures in it are checked or harmless; a
piece of a page, or word of what is in a file, is neither.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from fervis.render.keep import put_by, recall

_BYTES = 32


def place_of(kind: str, site: Path | None) -> str:
    """Where to put by what is known of one site: builds of others may share the cache."""
    return f"{kind}/{hashlib.sha256(os.fsencode(site or '')).hexdigest()[:16]}"


def recall_sealed(cache: Path | None, place: str, recipe: str) -> bytes | None:
    """What this user's last build put by under ``place`` if it was made by the same ``recipe``."""
    key = None if cache is None else _key()
    stored = None if key is None else recall(cache, place, recipe)
    if key is None or stored is None:
        return None
    sound = hmac.compare_digest(stored[:_BYTES], _seal(key, place, recipe, stored[_BYTES:]))
    return stored[_BYTES:] if sound else None


def put_by_sealed(cache: Path | None, place: str, recipe: str, content: bytes) -> None:
    """Remembers ``content`` under ``place``; where there is no key to seal it with, nothing."""
    key = None if cache is None else _key()
    if key is not None:
        put_by(cache, place, recipe, _seal(key, place, recipe, content) + content)


def _seal(key: bytes, place: str, recipe: str, content: bytes) -> bytes:
    return hmac.digest(key, f"{place}\0{recipe}\0".encode() + content, "sha256")


@functools.cache
def _key() -> bytes | None:
    """This user's key, made at the first build; None where it can be neither read nor kept."""
    import platformdirs

    with contextlib.suppress(OSError):
        file = platformdirs.user_cache_path("fervis", appauthor=False) / "seal.key"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_suffix(f".{secrets.token_hex(4)}")
            beside.touch(mode=0o600)
            beside.write_bytes(secrets.token_bytes(_BYTES))
            beside.replace(file)
        key = file.read_bytes()
        return key if len(key) == _BYTES else None
    return None
