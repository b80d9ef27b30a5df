"""What is fuzzed: bytes in; a result or the documented error out, else an exception here.

A target checks more than "no other exception": complaints are printable, their places exist, and a
CSV file means the same however its bytes fall into blocks.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np

from fervis import data as datasets
from fervis import spec as specification
from fervis.analyses import REGISTRY
from fervis.data.formats import fer2013
from fervis.data.log import read_log
from fervis.data.writer import Writer
from fervis.errors import Complaint, DataError, ReportError
from fervis.model.options import ModelOptions

OVERRIDE = b"\x1e"  # no report has this character: what follows each one is a `--set`
SIDE = 2  # pixels of a fuzzed face, so that a whole row is a few bytes

_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder in memory: a million files wear out no disk)
_KEPT = tempfile.TemporaryDirectory(
    prefix="fervis-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None
)
_FOLDER = Path(_KEPT.name)
for _name in ("fer.csv", "best.pt", "log.csv"):  # what the seeds name
    (_FOLDER / _name).touch()


def report(content: bytes) -> None:
    """report.yaml with its overrides: a Report that can be used, or ReportError."""
    text, *overrides = content.split(OVERRIDE)
    file = _FOLDER / "report.yaml"
    file.write_bytes(text)
    try:
        found = specification.load(
            file,
            analyses=REGISTRY,
            datasets=datasets.KINDS,
            model=ModelOptions,
            overrides=[each.decode("utf-8", "replace") for each in overrides],
        )
    except ReportError as error:
        _require_readable(error.complaints, text)
        return
    for question in found.questions:
        assert question.title.by_language
        for part in question.answer:
            assert str(found.complaint(part.where, "x")).isprintable()
            assert (part.options is None) == (part.analysis in ("text", "math"))
    assert all(line > 0 and column > 0 for line, column in found.lines.values())


def _require_readable(complaints: tuple[Complaint, ...], text: bytes) -> None:
    """Every complaint is one printable line about a place that there is."""
    lines = text.count(b"\n") + text.count(b"\r") + 3 * text.count(b"\xe2\x80") + 1
    lines += text.count(b"\xc2\x85")  # YAML ends lines there, too
    assert 0 < len(complaints) <= 102
    for each in complaints:
        assert each.message
        assert len(str(each)) < 5000
        assert str(each).isprintable()
        assert each.line <= lines + 1 or each.file.startswith("--set"), each


class _Pile:
    """Keeps what a reader writes, as plain lists."""

    def __init__(self) -> None:
        self.rows: dict[str, list[list[int]]] = {}

    def add(
        self, split: str, images: np.ndarray, labels: np.ndarray | None, places: object = ()
    ) -> None:
        assert images.dtype == np.uint8
        assert images.shape[1:] == (SIDE, SIDE, 1)
        numbers = [-1] * len(images) if labels is None else labels.tolist()
        assert len(numbers) == len(images)
        assert all(-1 <= number < 7 for number in numbers)
        flat = images.reshape(len(images), -1).tolist()
        pairs = zip(numbers, flat, strict=True)
        self.rows.setdefault(split, []).extend([number, *values] for number, values in pairs)


def faces(content: bytes) -> None:
    """The rows of a FER2013 file: the same pictures, or the same words, in any blocks."""
    size = 8 + content[0] if content else 8
    file = _FOLDER / "faces.csv"
    file.write_bytes(content[1:])
    whole, pieces = _faces(file, 1 << 20), _faces(file, size)
    assert whole == pieces, size
    assert whole  # pictures, or words


def _faces(file: Path, block: int) -> dict[str, list[list[int]]] | str:
    pile = _Pile()
    before = fer2013.SIDE, fer2013.PIXELS, fer2013._BLOCK
    fer2013.SIDE, fer2013.PIXELS, fer2013._BLOCK = SIDE, SIDE * SIDE, block
    try:
        fer2013.read(file, 7, cast(Writer, pile))
        found: dict[str, list[list[int]]] | str = pile.rows
    except DataError as error:
        found = _readable(str(error))
    finally:
        fer2013.SIDE, fer2013.PIXELS, fer2013._BLOCK = before
    return found


def log(content: bytes) -> None:
    """A training log: columns of numbers of one length, or DataError."""
    file = _FOLDER / "log.csv"
    file.write_bytes(content)
    try:
        columns = read_log(file)
    except DataError as error:
        _readable(str(error))
        return
    assert columns
    assert len({len(numbers) for numbers in columns.values()}) == 1
    assert all(numbers.dtype == np.float64 for numbers in columns.values())
    assert not any(math.isnan(len(name)) or not name.strip() for name in columns)


def _readable(words: str) -> str:
    assert words.strip()
    assert len(words) < 5000
    assert all(line.isprintable() for line in words.splitlines())
    return words


TARGETS: Mapping[str, Callable[[bytes], None]] = {"report": report, "faces": faces, "log": log}
