"""The arrays of a ``.npz`` file, read piece by piece and never trusted about their size."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fervis.data.faults import excerpt, printable
from fervis.data.source import FREE, MAX_EXPANSION, blaming, require_file
from fervis.errors import DataError

_MAX_MEMBERS = 1000


@dataclass(frozen=True)
class Member:
    """One array: numbers only, in C order, as long as its file."""

    archive: Archive
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return printable(f"{self.archive.name}:{self.name}")

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in pieces of up to ``count`` along its first axis."""
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        count = max(1, min(count, (16 << 20) // max(size, 1)))
        with self.archive.open(self.name) as file:
            _header(file)
            for start in range(0, self.shape[0], count):
                number = min(count, self.shape[0] - start)
                with _reading(self.place):
                    data = file.read(number * size)
                if len(data) != number * size:
                    raise DataError(f"{self.place}: truncated")
                yield np.frombuffer(data, self.dtype).reshape(number, *self.shape[1:])


class Archive:
    """An open ``.npz`` file. Everything wrong with it is a DataError."""

    def __init__(self, path: Path) -> None:
        self.name = printable(path.name)
        self._size = require_file(path).st_size
        with blaming(path), _reading(self.name):
            self._zip = zipfile.ZipFile(path)
        members = self._zip.namelist()
        if len(members) > _MAX_MEMBERS:
            raise DataError(f"{self.name}: {len(members):,} arrays; expected a few")
        self.names = [name.removesuffix(".npy") for name in members if name.endswith(".npy")]

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        """The file of an array."""
        with _reading(f"{self.name}:{printable(name)}"):
            return self._zip.open(f"{name}.npy")

    def member(self, name: str) -> Member:
        """An array's description, its claims compared with what is there."""
        place = f"{self.name}:{printable(name)}"
        info = self._zip.getinfo(f"{name}.npy")
        if info.file_size > FREE + MAX_EXPANSION * self._size:  # its header may be as long
            raise DataError(
                f"{place}: refused, since {info.file_size:,} bytes are more than "
                f"{MAX_EXPANSION} times the file's size"
            )
        with self.open(name) as file, _reading(place):
            shape, fortran, dtype = _header(file)
            offset = file.tell()
        if dtype.kind not in "buif":
            raise DataError(
                f"{place}: {excerpt(str(dtype))}; expected numbers (Python objects are "
                "never unpacked, since that runs code)"
            )
        if not shape or (fortran and len(shape) > 1):
            raise DataError(
                f"{place}: save it in C order with one entry per picture (numpy.ascontiguousarray)"
            )
        claimed = math.prod(shape) * dtype.itemsize
        if min(shape) < 0 or claimed != info.file_size - offset:
            raise DataError(
                f"{place}: the header claims {claimed:,} bytes for shape {shape}, the "
                f"file holds {max(0, info.file_size - offset):,}"
            )
        return Member(self, name, shape, dtype)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """(shape, whether in Fortran order, type of the numbers); ValueError if they are not there."""
    try:
        version = npy.read_magic(file)
        if version == (1, 0):
            return npy.read_array_header_1_0(file)
        if version == (2, 0):
            return npy.read_array_header_2_0(file)
    except Exception as error:  # numpy parses the header as Python, with all that can go wrong
        raise ValueError(f"its header: {error}") from error
    raise ValueError(f"version {version} of the .npy format, which numbers do not need")


class _reading:  # noqa: N801 (reads as a verb in `with _reading(place):`)
    """Turns what goes wrong inside a zip file into a DataError that names the place."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(
            error,
            (
                zipfile.BadZipFile,
                zlib.error,
                ValueError,
                EOFError,
                SyntaxError,
                NotImplementedError,
                RuntimeError,
                KeyError,
                TypeError,
            ),
        ):
            raise DataError(
                f"{self._place}: not a readable .npz array file ({printable(str(error))[:200]})"
            ) from error
