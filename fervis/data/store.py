"""Data sets once read: raw arrays in the cache folder, opened as memory maps.

An entry is a folder named by its key, written beside and renamed, its manifest last::

    KEY/0.images  0.labels  0.places  1.images …  manifest.json

A key is made of the hash of the source's bytes and of all that decides what is made of them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervis.data.writer import Record, Writer, flushed
from fervis.errors import DiskError

LAYOUT = 1  # raise it whenever entries are laid out or filled in another way
STALE_SECONDS = 3600
_BLOCK = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """One split, opened: images (N, H, W, C) uint8 memory-mapped, labels (N,) int64 or None."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    digest: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How an entry comes about: its key, and what fills it when it is not there."""

    key: str
    fill: Callable[[Writer], None]


class _DamagedError(Exception):
    """An entry is not what was written."""


def key_of(*parts: object) -> str:
    """A key of everything that decides what an entry holds; parts are JSON values."""
    text = json.dumps([LAYOUT, *parts], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Store:
    """Entries below one folder of the cache."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "data"

    def records(self, recipe: Recipe) -> Mapping[str, Record]:
        """The splits of an entry, which is made first where it is missing."""
        try:
            return self._manifest(recipe.key)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except _DamagedError as damage:
            _log.warning("%s; it is made again", damage)
        except OSError as error:
            raise _cannot_use(self.folder, error) from error
        self._make(recipe)
        return self._manifest(recipe.key)

    def load(self, recipe: Recipe, split: str) -> Stored:
        """One split of an entry; a damaged entry is made again, which a warning says."""
        record = self.records(recipe)[split]
        try:
            return self._open(recipe.key, record)
        except (FileNotFoundError, _DamagedError) as damage:
            _log.warning("%s; it is made again", damage)
            self._make(recipe)
            return self._open(recipe.key, self._manifest(recipe.key)[split])

    def _manifest(self, key: str) -> dict[str, Record]:
        path = self.folder / key / "manifest.json"
        try:
            manifest = json.loads(path.read_bytes())
            if manifest["check"] != key_of(key, manifest["splits"]):
                raise ValueError
            return {
                name: Record(**{**record, "shape": tuple(record["shape"])})
                for name, record in manifest["splits"].items()
            }
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _DamagedError(f"{path} is damaged") from error

    def _stem(self, key: str, record: Record) -> Path:
        """Where a split's files are, which are as they were written, or _DamagedError."""
        stem = self.folder / key / str(record.number)
        for suffix, check in record.checks.items():
            path = stem.with_suffix(suffix)
            if _checksum(path) != check:
                raise _DamagedError(f"{path} is damaged")
        return stem

    def _is_sound(self, key: str) -> bool:
        try:
            for record in self._manifest(key).values():
                self._stem(key, record)
        except (OSError, _DamagedError):
            return False
        return True

    def _open(self, key: str, record: Record) -> Stored:
        stem = self._stem(key, record)
        images = np.memmap(stem.with_suffix(".images"), np.uint8, "r", shape=record.shape)
        labels, places = None, ()
        if record.classes:
            labels = np.fromfile(stem.with_suffix(".labels"), "<i8").astype(np.int64)
        if ".places" in record.checks:
            places = tuple(json.loads(stem.with_suffix(".places").read_bytes()))
        return Stored(images, labels, record.digest, places)

    def _make(self, recipe: Recipe) -> None:
        target = self.folder / recipe.key
        with self._scratch(recipe.key) as scratch:
            with ExitStack() as files:
                writer = Writer(scratch, files)
                recipe.fill(writer)
                splits = {name: asdict(record) for name, record in writer.finish().items()}
            manifest = {
                "check": key_of(recipe.key, json.loads(json.dumps(splits))),
                "splits": splits,
            }
            with (scratch / "manifest.json").open("wb") as file:
                file.write(json.dumps(manifest).encode())
                flushed(file)
            if self._is_sound(recipe.key):
                return  # another build was faster, and others may be reading what it made
            if target.exists():
                shutil.rmtree(target, ignore_errors=True)
            try:
                scratch.rename(target)
            except OSError:
                if not target.exists():  # else another build has just put the same there
                    raise

    @contextmanager
    def _scratch(self, key: str) -> Iterator[Path]:
        """A folder beside the entry, gone afterwards; a full or locked disk is a DiskError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob("*.partial"):
                if time.time() - left.stat().st_mtime > STALE_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
            scratch = Path(tempfile.mkdtemp(".partial", f"{key}.", self.folder))
        except OSError as error:
            raise _cannot_use(self.folder, error) from error
        try:
            yield scratch
        except OSError as error:
            raise _cannot_use(scratch, error) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _checksum(path: Path) -> int:
    """CRC-32 of a file, read in blocks so that no memory is mapped for it."""
    check = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            check = zlib.crc32(block, check)
    return check


def _cannot_use(path: Path, error: OSError) -> DiskError:
    return DiskError(
        f"{path}: cannot be read or written ({error.strerror or error}); the cache folder must be "
        "writable and have room for the data set: free some space or name another cache folder"
    )
