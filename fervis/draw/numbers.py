"""The numbers behind a figure as files: CSV for a spreadsheet, NPZ for numpy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from fervis.draw.figure import NumberFile

Arrays = Mapping[str, NDArray[np.generic]]


def number_files(arrays: Arrays) -> tuple[NumberFile, ...]:
    """Every table among ``arrays`` as a CSV, and all of them as one NPZ; none if there is none."""
    return (*_tables(arrays), NumberFile("NPZ", "", "", npz_bytes(arrays))) if arrays else ()


def _tables(arrays: Arrays) -> Iterator[NumberFile]:
    for key, array in arrays.items():
        if array.ndim == 2 and array.dtype.kind in "biuf":
            yield NumberFile("CSV", key, key, csv_bytes(array))
    for columns in columns_of(arrays):
        first = next(iter(columns))
        title = first + (", …" if len(columns) > 1 else "")
        yield NumberFile("CSV", title, first, columns_csv(columns))


def csv_bytes(array: NDArray[np.generic]) -> bytes:
    """A (rows, columns) array of numbers as CSV with no header; floats round-trip as float32."""
    buffer = io.StringIO(newline="")
    whole = array.dtype.kind in "biu"
    np.savetxt(buffer, array, fmt="%d" if whole else "%.9g", delimiter=",", newline="\r\n")
    return buffer.getvalue().encode("ascii")


def columns_of(arrays: Arrays) -> list[dict[str, NDArray[np.generic]]]:
    """Arrays of one dimension, those of equal length together: each group is one table."""
    groups: dict[int, dict[str, NDArray[np.generic]]] = {}
    for name, array in arrays.items():
        if array.ndim == 1 and len(array) > 1 and array.dtype.kind in "biuf":
            groups.setdefault(len(array), {})[name] = array
    return list(groups.values())


def columns_csv(columns: Arrays) -> bytes:
    """Arrays of equal length as CSV, a column each, under their names."""
    buffer = io.StringIO(newline="")
    rows = csv.writer(buffer)
    rows.writerow(columns)
    written = ([f"{value:.9g}" for value in array.tolist()] for array in columns.values())
    rows.writerows(zip(*written, strict=True))
    return buffer.getvalue().encode("utf-8")


def npz_bytes(arrays: Arrays) -> bytes:
    """The arrays as a compressed NPZ; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()
