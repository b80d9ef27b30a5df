"""The files of a site: each is written as soon as it is made, so that none stays in memory."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

import numpy as np
from numpy.typing import NDArray


class Files:
    """Site paths (``figures/q1-1-4-map.png``) and the SHA-256 of what ``folder`` has there.

    ``folder`` is not published yet. Files that ``last``, the site to be replaced, has just so
    become links to it.
    """

    def __init__(self, folder: Path, last: Path | None = None) -> None:
        self.digests: dict[str, str] = {}
        self._folder, self._last = folder, last
        self._parents: set[Path] = set()
        self._taken: set[str] = set()

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
        if path.startswith("/") or ".." in Path(path).parts:
            raise ValueError(f"not a path inside the site: {path}")
        digest = hashlib.sha256(content).hexdigest()
        known, file = self.digests.get(path), self._folder / path
        if known == digest:
            return path
        if known is not None:
            file.unlink()  # it may be a link to the old site's, which must stay as it is
        if file.parent not in self._parents:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._parents.add(file.parent)
        write(file, content, self._last and self._last / path)
        self.digests[path] = digest
        return path

    def texts(self, *endings: str) -> Iterator[str]:
        """What the files with such names say, one after the other."""
        for path in self.digests:
            if path.endswith(endings):
                yield (self._folder / path).read_text("utf-8")


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


def picture_png(image: NDArray[np.uint8]) -> bytes:
    """(H, W) or (H, W, 1 or 3) uint8 as a PNG of its own size."""
    from PIL import Image

    flat = image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
