"""Pictures and labels as arrays in a ``.npz`` file of numpy's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.data.archive import Archive, Member
from fervis.data.dataset import Dataset
from fervis.data.faults import Faults
from fervis.data.options import FileOptions, Request, named
from fervis.data.source import content_hash
from fervis.data.splits import open_one
from fervis.data.store import Recipe, key_of
from fervis.data.writer import Writer
from fervis.errors import DataError
from fervis.text import Text

Layout = Literal["NHW", "NHWC", "NCHW"]
IMAGES = ("images", "image", "x", "data", "pixels")
LABELS = ("labels", "label", "y", "targets", "target")
MAX_CLASSES = 10_000
_ROWS = 256
_VERSION = 1


class Options(FileOptions):
    """``{kind: npz, path: faces.npz}``."""

    kind: Literal["npz"]
    images: str | None = Field(
        None,
        description="name of the array of pictures, {split} standing for the split; found "
        "by its name where not given: images, x, x_train, Training_x, …",
    )
    labels: str | None = Field(
        None, description="name of the array of labels, likewise: labels, y, y_train, …"
    )
    layout: Layout | None = Field(
        None, description="order of the pictures' axes; guessed from the shape where not given"
    )


def sources(options: Options, folder: Path) -> Iterator[Path]:
    """The files that decide what the data set is."""
    yield options.source(folder)


def open_split(options: Options, request: Request) -> Dataset:
    """One split, (N, H, W, C). Raises DataError."""
    path = options.source(request.folder)
    count = len(options.classes) if isinstance(options.classes, list) else None
    content = content_hash([path], path, request.store.folder)
    recipe = Recipe(
        key_of("npz", _VERSION, content, options.images, options.labels, options.layout, count),
        lambda writer: read(path, options, count, writer),
    )
    name, stored = open_one(request, recipe, options, path.name)
    found = max(record.classes for record in request.store.records(recipe).values())
    classes = named(options.classes, [Text.same(str(label)) for label in range(found)])
    return Dataset(
        stored.images, stored.labels, classes, name, stored.digest, redistributable=False
    )


def read(path: Path, options: Options, classes: int | None, writer: Writer) -> None:
    """Reads every split of the file into ``writer``."""
    faults = Faults(path.name, "faults")
    with Archive(path) as archive:
        pairs = _pairs(archive, options)
        for split, (images, labels) in pairs.items():
            _read_split(split, images, labels, options.layout, classes, faults, writer)
    faults.raise_any()


def _pairs(archive: Archive, options: Options) -> dict[str, tuple[Member, Member | None]]:
    """Split → its arrays; the split is ``all`` where the names speak of none."""
    pictures = _by_split(archive.names, options.images, IMAGES)
    labels = _by_split(archive.names, options.labels, LABELS)
    if not pictures:
        wanted = options.images or "images, x, x_train, …"
        raise DataError(
            f"{archive.name}: no array {wanted}; it has "
            f"{', '.join(archive.names[:20]) or 'none'}. `images:` names it"
        )
    if options.labels and set(pictures) - set(labels):
        raise DataError(
            f"{archive.name}: no array {options.labels}; it has {', '.join(archive.names[:20])}"
        )
    return {
        split: (archive.member(name), archive.member(labels[split]) if split in labels else None)
        for split, name in pictures.items()
    }


def _by_split(names: Sequence[str], given: str | None, known: Sequence[str]) -> dict[str, str]:
    """Split → name of its array, by the user's pattern or by the names that people use."""
    if given is not None:
        before, split, after = given.partition("{split}")
        pattern = re.escape(before) + ("(?P<split>.+)" if split else "") + re.escape(after)
        patterns = [pattern]
    else:
        either = "|".join(known)
        patterns = [
            f"(?i:{either})",
            f"(?i:{either})_(?P<split>.+)",
            f"(?P<split>.+)_(?i:{either})",
        ]
    found: dict[str, str] = {}
    for pattern in patterns:
        for name in names:
            if match := re.fullmatch(pattern, name):
                found.setdefault(match.groupdict().get("split") or "all", name)
        if found:
            break
    return found


def _read_split(
    split: str,
    images: Member,
    labels: Member | None,
    layout: Layout | None,
    classes: int | None,
    faults: Faults,
    writer: Writer,
) -> None:
    axes = _axes(images, layout)
    count = images.shape[0]
    numbers = None
    if labels is not None:
        numbers = _labels(labels, count, classes, faults)
    scale = _scale(images, faults)
    if faults:
        return
    start = 0
    for rows in images.rows(_ROWS):
        pixels = rows[..., None] if len(axes) == 3 else rows
        if axes == "NCHW":
            pixels = pixels.transpose(0, 2, 3, 1)
        if scale != 1:
            pixels = np.rint(pixels.astype(np.float32) * scale)
        some = None if numbers is None else numbers[start : start + len(rows)]
        writer.add(split, pixels.astype(np.uint8), some)
        start += len(rows)


def _axes(images: Member, layout: Layout | None) -> Layout:
    """What the axes are; guessed as (N, H, W, C) where both that and (N, C, H, W) are possible."""
    shape = images.shape
    guess: Layout = "NHW" if len(shape) == 3 else "NHWC"
    if layout is None and len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        guess = "NCHW"
    axes = layout or guess
    depth = {"NHW": 1, "NHWC": shape[-1], "NCHW": shape[1] if len(shape) > 1 else 0}[axes]
    if len(axes) != len(shape) or depth not in (1, 3):
        raise DataError(
            f"{images.place}: shape {shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W) "
            "with one or three channels"
        )
    if 0 in shape:
        raise DataError(f"{images.place}: shape {shape}; there are no pictures in it")
    return axes


def _labels(
    labels: Member, count: int, classes: int | None, faults: Faults
) -> NDArray[np.int64] | None:
    if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "iu":
        raise DataError(
            f"{labels.place}: {labels.dtype} {labels.shape}; expected {count} whole numbers, one "
            "per picture"
        )
    found = np.concatenate(list(labels.rows(1 << 16))).reshape(-1)
    end = MAX_CLASSES if classes is None else classes
    for index in np.flatnonzero((found < 0) | (found >= end)):
        faults.add(f"{labels.name}[{index}]", f"label {found[index]}; expected 0 … {end - 1}")
    return found.astype(np.int64)


def _scale(images: Member, faults: Faults) -> int:
    """What pixels are multiplied by: 255 for fractions 0…1 and for booleans, else 1.

    Floats are fractions if none is above 1; floats above 1 must be whole numbers up to 255.
    """
    kind = images.dtype.kind
    if kind == "b":
        return 255
    if images.dtype == np.uint8:
        return 1
    if kind not in "iuf":
        raise DataError(f"{images.place}: {images.dtype}; expected uint8, or float from 0 to 1")
    top = max((float(np.fmax.reduce(rows, axis=None)) for rows in images.rows(_ROWS)), default=0.0)
    fractions = kind == "f" and not top > 1
    start = 0
    for rows in images.rows(_ROWS):
        flat = rows.reshape(len(rows), -1)
        good = (flat >= 0) & (flat <= 255)
        if kind == "f" and not fractions:
            good &= flat == np.rint(flat)
        for index in np.flatnonzero(~good.all(axis=1)):
            value = flat[index][~good[index]][0]
            faults.add(
                f"{images.name}[{start + index}]",
                f"value {value}; expected 0…1 throughout, or whole numbers 0…255",
            )
        start += len(rows)
    return 255 if fractions else 1
