"""FER2013 in the CSV files people have it in (Goodfellow et al. 2013).

``emotion,pixels,Usage`` (Kaggle), ``emotion, Usage, pixels`` (its other edition), ``label,feature``
and ``id,feature`` (a course's training and test file), each plain or gzipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from fervis.data import rows
from fervis.data.dataset import Dataset
from fervis.data.faults import Faults, excerpt, one_of
from fervis.data.options import FileOptions, Request, named
from fervis.data.source import Reader, content_hash, opened
from fervis.data.splits import open_one
from fervis.data.store import Recipe, key_of
from fervis.data.writer import Writer
from fervis.errors import DataError
from fervis.text import Text

SIDE = 48
PIXELS = SIDE * SIDE
USAGES = ("Training", "PublicTest", "PrivateTest")
CLASSES = tuple(
    Text({"en": english, "zh-Hant": chinese})
    for english, chinese in (
        ("angry", "生氣"),
        ("disgust", "厭惡"),
        ("fear", "恐懼"),
        ("happy", "高興"),
        ("sad", "難過"),
        ("surprise", "驚訝"),
        ("neutral", "中立"),
    )
)
LICENCE = (
    "FER2013 (Goodfellow et al. 2013): pictures found on the web, whose rights stay with their "
    "owners; for research and teaching, not to be published in bulk."
)
_COLUMNS = {
    "emotion": "label",
    "label": "label",
    "pixels": "pixels",
    "feature": "pixels",
    "usage": "usage",
    "id": "id",
}
_BLOCK = 1 << 20
_LONGEST = 1 << 20  # bytes of a line; a good one has at most 10,000
_BLANKS = 100  # at the end are harmless
_VERSION = 1


class Options(FileOptions):
    """``{kind: fer2013, path: fer2013.csv, split: PublicTest}``."""

    kind: Literal["fer2013"]
    split: str | None = Field(
        None,
        description="Training, PublicTest or PrivateTest; all for a file without Usage; "
        "train and heldout (of Training, or of all)",
    )


def sources(options: Options, folder: Path) -> Iterator[Path]:
    """The files that decide what the data set is."""
    yield options.source(folder)


def open_split(options: Options, request: Request) -> Dataset:
    """One split, (N, 48, 48, 1), in the file's order. Raises DataError."""
    path = options.source(request.folder)
    classes = named(options.classes, CLASSES)
    content = content_hash([path], path, request.store.folder)
    recipe = Recipe(
        key_of("fer2013", _VERSION, content, len(classes)),
        lambda writer: read(path, len(classes), writer),
    )
    name, stored = open_one(request, recipe, options, path.name)
    return Dataset(
        stored.images,
        stored.labels,
        classes,
        name,
        stored.digest,
        redistributable=False,
        licence=LICENCE,
    )


def read(path: Path, classes: int, writer: Writer) -> None:
    """Reads the whole file into ``writer``, one split per Usage, else ``all``."""
    faults = Faults(path.name, "bad rows")
    with opened(path) as file:
        lines = _lines(file, path.name)
        beginning = next(lines, None)
        if beginning is None:
            raise DataError(f"{path.name}: an empty file")
        header = _header(beginning[1][0], path.name)
        count = 0
        for first, block in lines:
            count += len(block)
            _read_block(first, block, header, classes, faults, writer)
    faults.raise_any()
    if not count:
        raise DataError(f"{path.name}: a header and no rows")


@dataclass(frozen=True)
class _Header:
    """Column numbers by meaning, and how many columns there are."""

    columns: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.columns)


def _header(line: bytes, name: str) -> _Header:
    titles = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split(",")
    meanings = [_COLUMNS.get(title.strip(' "').casefold(), "") for title in titles[:9]]
    if "" in meanings or "pixels" not in meanings or len(set(meanings)) != len(titles):
        raise DataError(
            f"{name}:1: the header is {excerpt(line.strip(), 60)}; expected "
            "emotion,pixels,Usage or emotion, Usage, pixels or label,feature or id,feature"
        )
    return _Header({meaning: column for column, meaning in enumerate(meanings)})


def _lines(file: Reader, name: str) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first line, lines) in blocks; the header alone comes first.

    Blank lines at the end of the file are left out.
    """
    number, rest, blank, endless = 1, b"", 0, False
    while True:
        block = file.read(_BLOCK)
        lines = (rest + block).split(b"\n") if rest or block else []
        rest = lines.pop() if block else b""
        if len(rest) > _LONGEST:
            raise DataError(
                f"{name}:{number + blank + len(lines)}: a line of more than {_LONGEST:,} bytes; "
                "this is no FER2013 file"
            )
        lines = [b""] * blank + [line.strip(b"\r") for line in lines]
        full = len(lines)
        while full and not lines[full - 1].strip():
            full -= 1
        blank = len(lines) - full
        endless = blank > _BLANKS or (endless and not full)
        if endless:
            full, blank = len(lines), 0
        if number == 1 and full:
            yield 1, lines[:1]
            yield 2, lines[1:full]
        elif full:
            yield number, lines[:full]
        number += full
        if not block:
            return


def _read_block(
    first: int, lines: list[bytes], header: _Header, classes: int, faults: Faults, writer: Writer
) -> None:
    cells = [_cells(line, len(header)) for line in lines]
    pixel_column = header.columns["pixels"]
    whole = [row for row in cells if row is not None]
    values, good = rows.decode([row[pixel_column] for row in whole], PIXELS)
    decoded = iter(good)
    labels, usages = [], []
    for number, (line, row) in enumerate(zip(lines, cells, strict=True), first):
        if row is None:
            faults.add(number, _columns_fault(line, header))
            continue
        label, usage = _label(row, header, classes), _usage(row, header)
        if not next(decoded):
            faults.add(
                number,
                rows.explain(row[pixel_column], PIXELS, f"{PIXELS} ({SIDE}×{SIDE})")
                if faults.wants_more
                else "",
            )
        elif isinstance(label, str) or usage not in (*USAGES, "all"):
            faults.add(number, label if isinstance(label, str) else usage)
        else:
            labels.append(label)
            usages.append(usage)
    if faults or not labels:
        return
    images = values.reshape(-1, SIDE, SIDE, 1)
    numbers = np.array(labels, np.int64) if "label" in header.columns else None
    of = np.array(usages)
    for usage in dict.fromkeys(usages):
        chosen = of == usage
        writer.add(usage, images[chosen], None if numbers is None else numbers[chosen])


def _cells(line: bytes, columns: int) -> list[bytes] | None:
    if line.count(b",") != columns - 1:
        return None
    return [cell.strip(b' "') for cell in line.split(b",")]


def _columns_fault(line: bytes, header: _Header) -> str:
    if not line.strip():
        return "an empty line"
    return f"{line.count(b',') + 1:,} columns; expected {len(header)}"


def _label(row: list[bytes], header: _Header, classes: int) -> int | str:
    """The label, or what is wrong with it; 0 where the file has none."""
    if "label" not in header.columns:
        return 0
    text = row[header.columns["label"]]
    if text.isdigit() and len(text) < 9 and int(text) < classes:
        return int(text)
    return f"label {excerpt(text)}; expected 0 … {classes - 1}"


def _usage(row: list[bytes], header: _Header) -> str:
    """The split, or what is wrong with it."""
    if "usage" not in header.columns:
        return "all"
    found = row[header.columns["usage"]].decode("utf-8", "replace")
    return found if found in USAGES else f"Usage {excerpt(found)}; expected {one_of(USAGES)}"
