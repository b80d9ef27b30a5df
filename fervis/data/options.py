"""``data:`` in report.yaml: what all kinds of data sets have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fervis.data.store import Store
from fervis.errors import DataError
from fervis.text import Message, Text

ClassName = str | Annotated[dict[str, str], Field(min_length=1)]
"""One class in words: one string, or one string per language."""

ClassNames = (
    Annotated[list[ClassName], Field(min_length=1)]
    | Annotated[dict[int | str, ClassName], Field(min_length=1)]
)
"""Names in label order, or label → name."""

Fit = Literal["crop", "pad", "stretch"]


class DataOptions(BaseModel):
    """What every kind of data set accepts; ``kind`` is the file name in ``formats/``."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: str
    split: str | None = Field(None, description="the part of the data set that indices count in")
    classes: ClassNames | None = Field(
        None, description="names of the classes: a list in label order, or label: name"
    )
    fit: Fit = Field(
        "crop",
        description="pictures of another shape than the network's input are cut to its aspect "
        "ratio around the centre (`crop`), get black bars (`pad`) or are distorted (`stretch`)",
    )
    redistributable: bool | None = Field(
        None,
        description="whether everybody may have all its pictures: `fervis publish` leaves the "
        "galleries' pixels out where not. Not given: the rendered faces may be passed on, FER2013 "
        "and data of your own may not",
    )

    @property
    def title(self) -> Message | str:
        """What a report calls the data."""
        return self.kind


class FileOptions(DataOptions):
    """A data set that lies in a file or a folder of the user's."""

    path: Path = Field(description="relative to report.yaml, or absolute")
    held_out: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="the share of the pictures in `split: heldout`; the others are `split: train`",
    )
    held_out_seed: int = Field(0, description="another number holds out other pictures")

    @property
    def title(self) -> Message | str:
        """The name of the file or folder."""
        return self.path.name

    def source(self, folder: Path) -> Path:
        """Where the data lie; ``folder`` is the one of report.yaml."""
        return folder / self.path


@dataclass(frozen=True)
class Request:
    """What is asked of a format; ``size`` (height, width) and ``channels`` are the network's.

    ``split`` is what an analysis or the report asks for, None where neither does.
    """

    folder: Path
    store: Store
    split: str | None
    size: tuple[int, int]
    channels: int


def text_of(name: ClassName) -> Text:
    """A class name as fervis passes it on."""
    return Text.same(name) if isinstance(name, str) else Text(dict(name))


def named(names: ClassNames | None, default: Sequence[Text]) -> tuple[Text, ...]:
    """Class names in label order: the user's list, or ``default`` with the user's names put in.

    Raises DataError where a mapping names a label that ``default`` does not have.
    """
    if names is None:
        return tuple(default)
    if not isinstance(names, Mapping):
        return tuple(map(text_of, names))
    texts = list(default)
    for label, name in names.items():
        if not str(label).isdecimal() or int(label) >= len(texts):
            raise DataError(f"classes: there is no label {label!r}; expected 0 … {len(texts) - 1}")
        texts[int(label)] = text_of(name)
    return tuple(texts)
