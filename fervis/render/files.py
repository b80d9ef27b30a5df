"""The files of a site: each is written as soon as it is made, so that none stays in memory."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG

import numpy as np
from numpy.typing import NDArray

from fervis.installed import version
from fervis.render.seal import place_of, put_by_sealed, recall_sealed

_VERSION = 1  # raise it whenever the same picture gives another file


class Files:
    """Site paths (``figures/q1-1-4-map.png``) and the SHA-256 of what ``folder`` has there.

    ``folder`` is not published yet. Files that ``last``, the site to be replaced, has just so
    become links to it. ``cache`` keeps what is known of the files of ``last``: one whose size and
    time are as they were need not be read to be known again, nor a picture encoded again.
    """

    def __init__(self, folder: Path, last: Path | None = None, cache: Path | None = None) -> None:
        self.digests: dict[str, str] = {}
        self._folder, self._last, self._cache = folder, last, cache
        self._parents: set[str] = set()
        self._taken: set[str] = set()
        self._recipes: dict[str, str] = {}
        self._place = place_of("files", last)
        self._made_by = f"{_VERSION} pillow {version('pillow')}"
        known = recall_sealed(cache, self._place, self._made_by) if last else None
        self._known: dict[str, list[str | int]] = json.loads(known) if known else {}

    def unique(self, name: str) -> str:
        """``name``, or the first of ``name-2``, ``name-3``, … that nobody has."""
        candidate, number = name, 1
        while candidate in self._taken:
            number += 1
            candidate = f"{name}-{number}"
        self._taken.add(candidate)
        return candidate

    def add(self, path: str, content: bytes) -> str:
        """Writes a file, the last one of a path wins, and returns its path."""
        digest = hashlib.sha256(content).hexdigest()
        known = self.digests.get(path)
        if known == digest:
            return path
        self._ready(path)
        if known is not None:
            # It may be a link to the old site's, which must stay as it is.
            (self._folder / path).unlink()
        if not self._linked(path, lambda found: found[1] == digest):
            write(self._folder / path, content, self._last and self._last / path)
        self.digests[path] = digest
        return path

    def picture(self, path: str, image: NDArray[np.uint8]) -> str:
        """Adds (H, W) or (H, W, 1 or 3) uint8 as a PNG of its own size."""
        recipe = f"{image.shape} {hashlib.sha256(image.tobytes()).hexdigest()}"
        self._recipes[path] = recipe
        if path in self.digests or not self._linked(path, lambda found: found[0] == recipe):
            return self.add(path, _png(image))
        self.digests[path] = str(self._known[path][1])
        return path

    def remember(self) -> None:
        """Keeps what is known of the files, for when this site is the last one."""
        if self._last is None:
            return
        found: dict[str, list[str | int]] = {}
        for path, digest in self.digests.items():
            state = os.lstat(f"{self._folder}/{path}")
            found[path] = [self._recipes.get(path, ""), digest, state.st_size, state.st_mtime_ns]
        put_by_sealed(self._cache, self._place, self._made_by, json.dumps(found).encode())

    def texts(self, *endings: str) -> Iterator[str]:
        """What the files with such names say, one after the other."""
        for path in self.digests:
            if path.endswith(endings):
                yield (self._folder / path).read_text("utf-8")

    def _ready(self, path: str) -> None:
        """Makes the folder of a path. Raises ValueError for one outside of the site."""
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"not a path inside the site: {path}")
        parent = path.rpartition("/")[0]
        if parent not in self._parents:
            (self._folder / parent).mkdir(parents=True, exist_ok=True)
            self._parents.add(parent)

    def _linked(self, path: str, fits: Callable[[list[str | int]], bool]) -> bool:
        """Links the last site's file if what is known of it fits and still holds."""
        found = self._known.get(path)
        if not found or not fits(found):
            return False
        self._ready(path)
        with contextlib.suppress(OSError):
            state = os.lstat(f"{self._last}/{path}")
            if S_ISREG(state.st_mode) and [state.st_size, state.st_mtime_ns] == found[2:]:
                os.link(f"{self._last}/{path}", f"{self._folder}/{path}", follow_symlinks=False)
                return True
        return False


def write(file: Path, content: bytes, last: Path | None) -> None:
    """A new file, or a link to ``last`` where that holds the same: a disk writes it only once."""
    with contextlib.suppress(OSError):
        if last is not None and _holds(last, content):
            os.link(last, file, follow_symlinks=False)
            return
    file.write_bytes(content)


def _holds(file: Path, content: bytes) -> bool:
    known = file.lstat()
    same = S_ISREG(known.st_mode) and known.st_size == len(content)
    return same and file.read_bytes() == content


def _png(image: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    flat = image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
