"""Where results live between builds."""

from __future__ import annotations

import os
from pathlib import Path

BUILDS = "builds"
"""The folder of the cache with what is known of the last build of every site."""


def cache_folder(file: Path, cache: Path | None = None) -> Path:
    """Where results live: the folder named, else $FERVIS_CACHE, else ``.fervis`` by the file."""
    named = cache or (Path(os.environ["FERVIS_CACHE"]) if "FERVIS_CACHE" in os.environ else None)
    return (named or file.parent / ".fervis").absolute()


def edited(file: Path, cache: Path | None = None) -> bool:
    """Whether ``file`` was written after the last build with its cache; False without the file.

    A guess, and a cheap one: other files may have changed, and a build finds that out itself.
    """
    stamps = (cache_folder(file.absolute(), cache) / BUILDS).glob("*.json")
    try:
        return file.stat().st_mtime > max((stamp.stat().st_mtime for stamp in stamps), default=0)
    except OSError:
        return False
