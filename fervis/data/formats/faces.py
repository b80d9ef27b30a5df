"""The rendered faces that come with fervis, and what is known of each of their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from fervis.data.dataset import Dataset, GroundTruth
from fervis.data.formats.fer2013 import CLASSES
from fervis.data.options import DataOptions, Request, named
from fervis.errors import DataError
from fervis.text import Message, Text, message

SPLITS: dict[str, Literal["train", "test"]] = {"train": "train", "test": "test"}
LICENCE = "Rendered by fervis from CC0 assets of MakeHuman: free for any use (CC0)."


class Options(DataOptions):
    """``{kind: faces}``."""

    kind: Literal["faces"] = "faces"
    split: Literal["train", "test"] | None = Field(None, description="test where not given")

    @property
    def title(self) -> Message:
        """What they are; they lie in no file that a reader would know."""
        return message("rendered faces")


def sources(_options: Options, _folder: Path) -> Iterator[Path]:
    """The files that decide what the data set is."""
    yield from sorted((Path(__file__).parents[1] / "faces").glob("*"))


def open_split(options: Options, request: Request) -> Dataset:
    """One split, (N, 48, 48, 1). Raises DataError."""
    from fervis.data.faces import shipped

    name = request.split or "test"
    if name not in SPLITS:
        raise DataError(f"faces: no split {name!r}; there is train or test")
    classes = named(options.classes, CLASSES)
    if len(classes) != len(CLASSES):
        raise DataError(f"faces: classes: {len(classes)} names; expected {len(CLASSES)}")
    flat, labels = shipped.pictures(SPLITS[name])
    images = flat[..., None]
    digest = hashlib.sha256(images.data)
    digest.update(labels.data)
    return Dataset(
        images,
        labels,
        classes,
        name,
        digest.hexdigest(),
        redistributable=True,
        licence=LICENCE,
        truth=partial(_truth, SPLITS[name]),
    )


def _truth(split: Literal["train", "test"]) -> GroundTruth:
    from fervis.data.faces import shipped, truth

    faces = shipped.load(split)
    regions = tuple(Text({"en": english, "zh-Hant": chinese}) for english, chinese in truth.REGIONS)
    return GroundTruth(faces.motion, faces.change, faces.regions, regions)
