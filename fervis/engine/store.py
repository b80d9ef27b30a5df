"""The store: results under content keys, one checked file each.

A file is ``MAGIC``, the length of the header (8 bytes, little-endian), the header (JSON: key, meta
and the place of every array and blob), the raw bytes, and a blake2b digest of all that precedes it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.errors import DiskError

MAGIC = b"fervis entry 1\n"
_ALIGNMENT = 64
_DIGEST = 32
_LENGTH = 8
_KEY = re.compile(r"[0-9A-Za-z_-]{3,200}")
_ABANDONED_AFTER = 3600.0  # seconds; no entry takes an hour to write


@dataclass(frozen=True, eq=False)
class Entry:
    """What is stored under one key: numbers, facts about them, and ready files such as PNGs.

    ``meta`` holds JSON values only. Arrays that come out of the store are read-only.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Damage:
    """A stored file that could not be trusted; it counts as missing."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.reason})"


class _DamagedError(Exception):
    """The bytes are not an entry as it was written."""


class Store:
    """Entries in ``folder``, safe to share between processes; ``damaged`` lists what was refused.

    Keys are 3 to 200 letters, digits, ``-`` and ``_``. Nothing is created before the first put().
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[Damage] = []

    def path(self, key: str) -> Path:
        """Where the entry of ``key`` is or would be. Raises ValueError if it is no key."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key of the store: {key!r}")
        return self.folder / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether there is a file for ``key``; only get() finds out whether it is sound."""
        return self.path(key).is_file()

    def get(self, key: str) -> Entry | None:
        """The entry of ``key``, or None if it is missing or damaged.

        A damaged file is added to ``damaged`` and removed. Raises DiskError if it may not be
        read.
        """
        path = self.path(key)
        try:
            entry = _decode(path.read_bytes(), key)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise DiskError(
                f"{path}: cannot read a stored result: permission denied; "
                "give yourself read access or name another cache folder"
            ) from error
        except (_DamagedError, OSError) as error:
            self.damaged.append(Damage(path, str(error)))
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read is still of use
            os.utime(path)  # the marker that prune() goes by
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Stores ``entry`` whole or not at all; of two writers the last one wins.

        Raises DiskError if the disk is full or the folder may not be written, TypeError for
        arrays of objects and for a ``meta`` that is not JSON.
        """
        path = self.path(key)
        data = _encode(key, entry)
        beside = path.with_name(f".{key[:32]}.{secrets.token_hex(6)}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with beside.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    beside.unlink()
                raise
        except OSError as error:
            raise _cannot_write(self.folder, len(data), error) from error

    def size(self) -> int:
        """Bytes of all entries together."""
        return sum(status.st_size for _, status in self._files())

    def prune(self, limit_bytes: int) -> int:
        """Removes the entries that went unused longest until ``limit_bytes`` hold the rest.

        Returns the bytes freed. Left-overs of writers that were killed go too.
        """
        entries = []
        freed = 0
        for path, status in self._files():
            if not path.name.startswith("."):
                entries.append((status.st_mtime_ns, path, status.st_size))
            elif time.time() - status.st_mtime > _ABANDONED_AFTER:
                freed += _remove(path, status.st_size)
        excess = sum(size for _, _, size in entries) - limit_bytes
        removed = 0
        for _, path, size in sorted(entries):
            if removed >= excess:
                break
            removed += _remove(path, size)
        return freed + removed

    def clear(self) -> None:
        """Removes everything in the folder that the store has written, and the folder if empty."""
        for shard in self._shards():
            shutil.rmtree(shard, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _shards(self) -> list[Path]:
        try:
            return [item for item in self.folder.iterdir() if len(item.name) == 2 and item.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for shard in self._shards():
            with contextlib.suppress(FileNotFoundError):
                for item in os.scandir(shard):
                    with contextlib.suppress(FileNotFoundError):
                        yield Path(item.path), item.stat()


def _encode(key: str, entry: Entry) -> bytes:
    pieces: list[bytes] = []
    offset = 0

    def place(piece: bytes) -> tuple[int, int]:
        nonlocal offset
        start = offset
        padding = -len(piece) % _ALIGNMENT
        pieces.extend((piece, bytes(padding)))
        offset += len(piece) + padding
        return start, len(piece)

    arrays = {}
    for name, value in entry.arrays.items():
        array = np.asarray(value)
        if array.dtype.hasobject or array.dtype.names:
            raise TypeError(f"array {name!r}: {array.dtype} cannot be stored")
        arrays[name] = [array.dtype.str, array.shape, *place(array.tobytes())]
    blobs = {name: place(bytes(blob)) for name, blob in entry.blobs.items()}
    header = json.dumps(
        {"key": key, "meta": dict(entry.meta), "arrays": arrays, "blobs": blobs},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    header += b" " * (-(len(MAGIC) + _LENGTH + len(header)) % _ALIGNMENT)
    data = b"".join((MAGIC, len(header).to_bytes(_LENGTH, "little"), header, *pieces))
    return data + blake2b(data, digest_size=_DIGEST).digest()


def _decode(data: bytes, key: str) -> Entry:
    """Raises _DamagedError. Once the digest is right, the rest is as it was written."""
    if not data.startswith(MAGIC):
        if not data:
            raise _DamagedError("it is empty")
        other = data.startswith(MAGIC.split()[0])
        raise _DamagedError("of another version" if other else "not a stored result")
    content = memoryview(data)[:-_DIGEST]
    if blake2b(content, digest_size=_DIGEST).digest() != data[-_DIGEST:]:
        raise _DamagedError("its checksum is wrong")
    start = len(MAGIC) + _LENGTH
    body = start + int.from_bytes(content[len(MAGIC) : start], "little")
    header = json.loads(bytes(content[start:body]))
    if header["key"] != key:
        raise _DamagedError(f"it belongs to another key, {header['key']}")
    arrays = {}
    for name, (dtype, shape, offset, _) in header["arrays"].items():
        flat = np.frombuffer(content, np.dtype(dtype), math.prod(shape), body + offset)
        arrays[name] = flat.reshape(shape)
    blobs = {
        name: bytes(content[body + offset : body + offset + length])
        for name, (offset, length) in header["blobs"].items()
    }
    return Entry(arrays, header["meta"], blobs)


def _remove(path: Path, size: int) -> int:
    """Bytes freed: 0 if someone else was first or the file may not be removed."""
    try:
        path.unlink()
    except OSError:
        return 0
    return size


def _cannot_write(folder: Path, needed: int, error: OSError) -> DiskError:
    what = f"{folder}: cannot store a result of {needed:,} bytes"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskError(
            f"{what}: the disk is full; free some space, prune the cache "
            "or name a cache folder on another disk"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DiskError(
            f"{what}: the folder may not be written ({os.strerror(error.errno)}); "
            "give yourself write access or name another cache folder"
        )
    return DiskError(f"{what}: {error.strerror or error}; name another cache folder")
