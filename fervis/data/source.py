"""The user's files: what they are, what their bytes hash to, and their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from fervis.data.faults import printable
from fervis.errors import DataError

MAX_EXPANSION = 30  # times its size is what a compressed file may expand to, beyond FREE bytes
FREE = 64 << 20
_BLOCK = 1 << 20


def require_file(path: Path) -> os.stat_result:
    """The state of a regular file; anything else is a DataError (devices and pipes never end)."""
    with blaming(path):
        state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        raise DataError(printable(f"{path}: a folder; expected a file"))
    if not stat.S_ISREG(state.st_mode):
        raise DataError(printable(f"{path}: not a regular file"))
    return state


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """A file's bytes, unpacked if it is a gzip file whatever its name; faults are DataErrors.

    A file that changes while it is read, or expands beyond reason, is refused.
    """
    before = require_file(path)
    with blaming(path), ExitStack() as files:
        raw = files.enter_context(path.open("rb"))
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        state = os.fstat(raw.fileno())
        # the stack closes it when the caller is done; errors of the caller's are not this file's
        held = files.pop_all()
    with held:
        yield Reader(path, raw, before.st_size, packed)
        after = os.fstat(raw.fileno())
    if any(
        (s.st_size, s.st_mtime_ns) != (before.st_size, before.st_mtime_ns) for s in (state, after)
    ):
        raise DataError(printable(f"{path}: changed while it was read; try again"))


class Reader:
    """Reads a plain or gzip file, up to what such a file may sensibly expand to."""

    def __init__(self, path: Path, raw: BinaryIO, size: int, packed: bool) -> None:
        import gzip

        self._path = path
        self._file = gzip.GzipFile(fileobj=raw, mode="rb") if packed else raw
        self._left = FREE + MAX_EXPANSION * size

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; none at the end. Raises DataError."""
        with blaming(self._path):
            block = self._file.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise DataError(
                printable(
                    f"{self._path}: refused, since it expands to more than {MAX_EXPANSION} times "
                    "its size; unpack it yourself if you trust it"
                )
            )
        return block


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """Turns what goes wrong while ``path`` is read into a DataError that names it."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise DataError(printable(f"{path}: truncated or damaged ({error})")) from error
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        raise DataError(printable(f"{path}: {_reason(error)}")) from error


def content_hash(paths: Sequence[Path], root: Path, memory: Path) -> str:
    """A hash of the names (below ``root``) and bytes of files; of bytes alone if root is the file.

    ``memory`` is a folder that keeps hashes by the files' states: a file with the size, times and
    number it had then is not read again. Its absence costs time and nothing else.
    """
    began = time.time_ns()
    states = [_state(path, root) for path in paths]
    note = memory / f"{_digest([str(root.absolute()), states])}.hash"
    try:
        name, _, check = note.read_text("ascii").partition(" ")
        if check == _digest(name):
            return name
    except (OSError, ValueError):
        pass
    files = [[name, _hash_of(path)] for path, (name, *_) in zip(paths, states, strict=True)]
    found = _digest(files)
    if all(_settled(state, began) for state in states):
        _remember(note, f"{found} {_digest(found)}")
    return found


def _state(path: Path, root: Path) -> list[str | int]:
    state = require_file(path)
    name = "" if path == root else str(path.relative_to(root))
    return [name, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _settled(state: Sequence[str | int], began: int) -> bool:
    """Whether a later change must show in the file's times: not if it was written just now.

    Times tick every few milliseconds at least, or every two seconds on old file systems, whose
    times are whole seconds.
    """
    _, _, changed, moved, _ = state
    latest = max(int(changed), int(moved))
    tick = 2_000_000_000 if int(changed) % 1_000_000_000 == 0 else 50_000_000
    return latest + tick < began


def _hash_of(path: Path) -> str:
    require_file(path)
    found = hashlib.sha256()
    with blaming(path), path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _remember(note: Path, text: str) -> None:
    """Best effort: without the note the files are hashed again."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(".partial", "", note.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        Path(scratch).replace(note)
    except OSError:
        return


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; paths start from the folder of report.yaml"
    return getattr(error, "strerror", None) or str(error)
