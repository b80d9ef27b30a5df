"""Did anything change since the site was built? Asked before any library is loaded."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fervis.cache import BUILDS
from fervis.engine import keys


@dataclass(frozen=True)
class Stamp:
    """What one build of one site folder stood on, by ingredient, and the files it left."""

    ingredients: Mapping[str, Any]
    files: Mapping[str, list[int]]  # relative name → [size, mtime_ns]
    tasks: Mapping[str, Mapping[str, Any]]  # task title → ingredients of its key
    pictures: Mapping[str, int]


def stamp_path(cache: Path, site: Path) -> Path:
    """Where the stamp of a site folder is kept."""
    return cache / BUILDS / f"{keys.digest(str(site.resolve()))}.json"


def draft_path(cache: Path, site: Path) -> Path:
    """Where a report that is not published is left to be looked at; every site has its own."""
    return cache / "failed" / f"{site.name}-{keys.digest(str(site.resolve()))[:8]}"


def read(path: Path) -> Stamp | None:
    """The stamp of the last build; None where there is none or it cannot be read."""
    try:
        return Stamp(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(path: Path, stamp: Stamp) -> None:
    """Writes beside, flushes, then renames.

    Best effort: the site is there already, and without its stamp is looked through once more.
    """
    beside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(vars(stamp), ensure_ascii=False))  # dump() is five times slower
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()


def files_of(site: Path) -> dict[str, list[int]]:
    """Size and time of every file of a site, by relative name."""
    found = {}
    waiting = [("", str(site))]
    while waiting:  # strings: a Path for each of hundreds of files takes longer than to ask for it
        prefix, folder = waiting.pop()
        entries: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError):
            entries = list(os.scandir(folder))
        for entry in entries:
            if not entry.is_dir():
                state = entry.stat()
                found[prefix + entry.name] = [state.st_size, state.st_mtime_ns]
            elif not entry.is_symlink():
                waiting.append((f"{prefix}{entry.name}/", entry.path))
    return found
