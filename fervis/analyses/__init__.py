"""The registry of analyses: the names of the files in this folder, imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from fervis.analyses._contract import (
    Analysis,
    Context,
    ImageOptions,
    Images,
    Options,
    PictureName,
    Result,
    Subjects,
)

__all__ = [
    "REGISTRY",
    "Analysis",
    "Context",
    "ImageOptions",
    "Images",
    "Options",
    "PictureName",
    "Result",
    "Subjects",
]


class _Registry(Mapping[str, Analysis]):
    """name → module; a file without a leading underscore is an analysis."""

    def __init__(self) -> None:
        files = Path(__file__).parent.glob("[!_]*.py")
        self._names = tuple(sorted(file.stem for file in files))

    def __getitem__(self, name: str) -> Analysis:
        if name not in self._names:
            raise KeyError(name)
        return cast(Analysis, importlib.import_module(f"{__name__}.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


REGISTRY: Mapping[str, Analysis] = _Registry()
