"""Writes the pictures of an entry of the store, piece by piece."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Record:
    """What the manifest says of one split; ``checks`` are CRC-32 sums by file suffix."""

    number: int
    shape: tuple[int, int, int, int]
    classes: int  # one more than the highest label; 0 without labels
    digest: str
    checks: Mapping[str, int]


class Writer:
    """Takes pictures in any number of pieces, so that a whole set never lies in memory."""

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder, self._files = folder, files
        self._splits: dict[str, _Pile] = {}

    def add(
        self,
        split: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64] | None,
        places: Sequence[str] = (),
    ) -> None:
        """Appends images (n, H, W, C) and labels (n,) to a split."""
        if split not in self._splits:
            number = len(self._splits)
            self._splits[split] = _Pile(number, self._folder / str(number), self._files)
        self._splits[split].add(images, labels, places)

    def finish(self) -> dict[str, Record]:
        """Everything is on the disk afterwards."""
        return {name: pile.finish() for name, pile in self._splits.items()}


class _Pile:
    """One split while it is written."""

    def __init__(self, number: int, stem: Path, files: ExitStack) -> None:
        self.number = number
        self._stem, self._files = stem, files
        self.images = self._create(".images")
        self.hash, self.check = hashlib.sha256(), 0
        self.shape: tuple[int, ...] = ()
        self.count = 0
        self.labels: list[NDArray[np.int64]] = []
        self.places: list[str] = []

    def add(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64] | None, places: Sequence[str]
    ) -> None:
        data = np.ascontiguousarray(images).data
        self.images.write(data)
        self.hash.update(data)
        self.check = zlib.crc32(data, self.check)
        self.count += len(images)
        self.shape = images.shape[1:]
        self.places += places
        if labels is not None:
            self.labels.append(labels)

    def finish(self) -> Record:
        flushed(self.images)
        checks = {".images": self.check}
        self.hash.update(json.dumps(self.shape).encode())
        classes = 0
        if self.labels:
            labels = np.concatenate(self.labels).astype("<i8")
            classes = int(labels.max(initial=0)) + 1
            data = labels.tobytes()
            self.hash.update(data)
            checks[".labels"] = self._write(".labels", data)
        if self.places:
            checks[".places"] = self._write(".places", json.dumps(self.places).encode())
        height, width, channels = self.shape
        return Record(
            self.number,
            (self.count, height, width, channels),
            classes,
            self.hash.hexdigest(),
            checks,
        )

    def _write(self, suffix: str, data: bytes) -> int:
        file = self._create(suffix)
        file.write(data)
        flushed(file)
        return zlib.crc32(data)

    def _create(self, suffix: str) -> BinaryIO:
        return self._files.enter_context(self._stem.with_suffix(suffix).open("wb"))


def flushed(file: BinaryIO) -> None:
    """Puts what was written to ``file`` on the disk."""
    file.flush()
    os.fsync(file.fileno())
