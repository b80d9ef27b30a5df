"""Training logs: a CSV file with a header, one row per epoch."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervis.data.faults import Faults, excerpt
from fervis.data.source import opened
from fervis.errors import DataError

MAX_BYTES = 8 << 20
MAX_COLUMNS = 1000
_BEYOND = 1e100  # no loss is as large; sums and axes of such numbers end in infinity


def read_log(path: Path) -> dict[str, NDArray[np.float64]]:
    """Column name → its numbers (rows,), in the file's order; an empty cell is NaN.

    A number beyond 1e100 is infinite: training has diverged.

    Raises DataError with the first ten places that are wrong.
    """
    with opened(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(f"{path.name}: more than {MAX_BYTES:,} bytes; this is no training log")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 text ({error.reason})") from error
    faults = Faults(path.name, "bad rows")
    columns: dict[str, list[float]] = {}
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            if not columns:
                columns = _columns(row, path.name)
            elif any(cell.strip() for cell in row):
                _append(row, columns, reader.line_num, faults)
    except csv.Error as error:
        raise DataError(f"{path.name}:{reader.line_num}: {error}") from error
    faults.raise_any()
    if not columns or not next(iter(columns.values())):
        raise DataError(f"{path.name}: no rows; expected a header and one row per epoch")
    return {name: np.array(numbers, np.float64) for name, numbers in columns.items()}


def _columns(row: list[str], name: str) -> dict[str, list[float]]:
    titles = [title.strip() for title in row]
    if len(titles) > MAX_COLUMNS:
        raise DataError(f"{name}:1: {len(titles):,} columns; expected at most {MAX_COLUMNS:,}")
    for title in titles:
        if not title or _number(title) is not None or titles.count(title) > 1:
            raise DataError(
                f"{name}:1: {excerpt(title)} in the header; expected a different name "
                "for each column, such as epoch,train_loss,val_loss"
            )
    return {title: [] for title in titles}


def _append(row: list[str], columns: dict[str, list[float]], line: int, faults: Faults) -> None:
    if len(row) != len(columns):
        faults.add(line, f"{len(row):,} columns; expected {len(columns)}")
        return
    numbers = [float("nan") if not cell.strip() else _number(cell) for cell in row]
    for title, cell, number in zip(columns, row, numbers, strict=True):
        if number is None:
            faults.add(line, f"{excerpt(cell)} in column {excerpt(title)} is not a number")
            return
        columns[title].append(number)


def _number(cell: str) -> float | None:
    try:
        number = None if "_" in cell else float(cell)  # Python reads 1_000, nobody else does
    except ValueError:
        return None
    if number is not None and abs(number) > _BEYOND:
        return math.copysign(math.inf, number)
    return number
