"""Data sets: pictures of one size, labels where known, names of the classes."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

from fervis.data.dataset import Dataset, GroundTruth
from fervis.data.fit import fitted
from fervis.data.options import DataOptions, FileOptions, Request
from fervis.data.store import Store

__all__ = ["KINDS", "DataOptions", "Dataset", "FileOptions", "GroundTruth", "open_dataset", "stamp"]


class Format(Protocol):
    """A module in ``fervis/data/formats/``; its file name is its ``kind``."""

    Options: type[DataOptions]

    def sources(self, options: Any, folder: Path) -> Iterable[Path]:
        """Files and folders whose change may change the data set."""

    def open_split(self, options: Any, request: Request) -> Dataset:
        """One split; its pictures may be of another size than asked for. Raises DataError."""


class _Kinds(Mapping[str, type[DataOptions]]):
    """kind → its options; a file without a leading underscore is a kind."""

    def __init__(self) -> None:
        files = (Path(__file__).parent / "formats").glob("[!_]*.py")
        self._names = tuple(sorted(file.stem for file in files))

    def __getitem__(self, kind: str) -> type[DataOptions]:
        if kind not in self._names:
            raise KeyError(kind)
        return _format(kind).Options

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


KINDS: Mapping[str, type[DataOptions]] = _Kinds()


def open_dataset(
    options: DataOptions,
    *,
    folder: Path,
    cache: Path,
    size: tuple[int, int],
    channels: int,
    split: str | None = None,
) -> Dataset:
    """One split with images (N, *size, channels) uint8, size being (height, width).

    ``folder`` is where relative paths start, ``cache`` where what was read is kept; ``split``
    goes before ``options.split``. Raises DataError with the first ten places that are wrong,
    MachineError where the cache cannot be written.
    """
    request = Request(folder, Store(cache), split or options.split, size, channels)
    dataset = _format(options.kind).open_split(options, request)
    if options.redistributable is not None:
        dataset = replace(dataset, redistributable=options.redistributable)
    return fitted(dataset, size, channels, options.fit, request.store)


def stamp(options: DataOptions, folder: Path) -> str:
    """What tells cheaply that a data set is what it was: options, and files' sizes and times.

    Another stamp need not mean other pictures. Reads no file and raises nothing for a missing one.
    """
    found: list[object] = [options.kind, options.model_dump(mode="json")]
    for path in _format(options.kind).sources(options, folder):
        try:
            state = path.stat()
        except (OSError, ValueError):
            found.append([str(path)])
        else:
            found.append([str(path), state.st_size, state.st_mtime_ns])
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _format(kind: str) -> Format:
    return cast(Format, importlib.import_module(f"fervis.data.formats.{kind}"))
