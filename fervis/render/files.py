"""The files of a site, gathered in memory and written in one go."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

import numpy as np
from numpy.typing import NDArray


class Files:
    """Site paths (``figures/q1-1-4-map.png``) and their bytes."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
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
        """Remembers a file and returns its path."""
        if path.startswith("/") or ".." in Path(path).parts:
            raise ValueError(f"not a path inside the site: {path}")
        self.content[path] = content
        return path

    def write(self, folder: Path, last: Path | None = None) -> None:
        """Writes all files under ``folder``; those that ``last`` has just so become links to it."""
        for parent in {(folder / path).parent for path in self.content}:
            parent.mkdir(parents=True, exist_ok=True)
        for path, content in self.content.items():
            write(folder / path, content, last and last / path)


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


def csv_bytes(array: NDArray[np.generic]) -> bytes:
    """A (rows, columns) array of numbers as CSV with no header; floats round-trip as float32."""
    buffer = io.StringIO(newline="")
    whole = array.dtype.kind in "biu"
    np.savetxt(buffer, array, fmt="%d" if whole else "%.9g", delimiter=",", newline="\r\n")
    return buffer.getvalue().encode("ascii")


def columns_of(
    arrays: Mapping[str, NDArray[np.generic]],
) -> list[dict[str, NDArray[np.generic]]]:
    """Arrays of one dimension, those of equal length together: each group is one table."""
    groups: dict[int, dict[str, NDArray[np.generic]]] = {}
    for name, array in arrays.items():
        if array.ndim == 1 and len(array) > 1 and array.dtype.kind in "biuf":
            groups.setdefault(len(array), {})[name] = array
    return list(groups.values())


def columns_csv(columns: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Arrays of equal length as CSV, a column each, under their names."""
    buffer = io.StringIO(newline="")
    rows = csv.writer(buffer)
    rows.writerow(columns)
    written = ([f"{value:.9g}" for value in array.tolist()] for array in columns.values())
    rows.writerows(zip(*written, strict=True))
    return buffer.getvalue().encode("utf-8")


def npz_bytes(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The arrays as a compressed NPZ; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()
