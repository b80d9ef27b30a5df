"""What every analysis is: a module with SCOPE, VERSION, Options, compute() and draw().

Such a module imports nothing heavy at its top (no torch, scikit-image, lime, matplotlib).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from fervis.draw.figure import Figure
from fervis.text import Message, Text

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

Scope = Literal["image", "network", "split", "log"]
"""What one result is about: a picture, the network alone, a labelled split, a training log."""

PictureName = int | str
"""A key of ``images:`` in report.yaml: a class number, or a name given freely."""

Images = Literal["all"] | str | list[PictureName]
"""``all``, ``same as question 3``, or a list of picture names in the order they are shown."""


class Options(BaseModel):
    """The options of an analysis: their types, defaults and descriptions are the YAML schema."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    def selection(self) -> Images | None:
        """The pictures this part is about; None where the scope is not "image"."""
        return None

    def layers(self) -> tuple[str, ...]:
        """Names of layers that must exist in the network."""
        return ()

    def numbers_decided_by(self) -> dict[str, object]:
        """The options that can change the numbers, as JSON values: part of the result's key."""
        return self.model_dump(mode="json", exclude={"images", "image"})


class ImageOptions(Options):
    """Options of an analysis that looks at single pictures."""

    images: Images = Field("all", description="which pictures, in the order they are shown")

    def selection(self) -> Images | None:
        return self.images


@dataclass(frozen=True)
class Subjects:
    """What compute() is asked about.

    scope "image": images (N, H, W, C) uint8, labels (N,) int64 or None, one generator a picture;
    scope "network": no pictures, one generator; scope "split": labels (N,) int64 and
    probabilities (N, K) float32 of the whole split, one generator; scope "log": ``log`` maps
    column names to arrays of equal length.

    ``beforehand`` is what the analysis' own beforehand() gave for each of the pictures, or empty.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    rngs: tuple[np.random.Generator, ...]
    probabilities: NDArray[np.float32] | None = None
    log: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    beforehand: Sequence[Any] = ()


Number = float | int | str | bool | None


@dataclass(frozen=True)
class Result:
    """Numbers of one subject: named arrays (float32, raw and signed) and plain numbers."""

    arrays: Mapping[str, NDArray[np.generic]]
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What draw() may know besides the result: the subject and the words for it.

    ``image`` (H, W, C) uint8 for scope "image", else None. ``layers`` maps the layer names used
    to their output shapes (C, H, W) or (features,).
    """

    classes: tuple[Text, ...]
    split: str
    seed: int
    image: NDArray[np.uint8] | None = None
    name: str = ""
    index: int | None = None
    label: int | None = None
    layers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


_AnyOptions: TypeAlias = Options


class Analysis(Protocol):
    """A module in ``fervis/analyses/``; its file name is its name in report.yaml.

    One of scope "image" may have a ``beforehand(images, options)``, too: what compute() needs of
    each picture (N, H, W, C) alone, without the network. Another process may find it while this
    one loads torch; compute() must do without.
    """

    SCOPE: Scope
    TITLE: Message  # "Saliency map"
    ANSWERS: Message  # which question it answers, in one or two plain sentences
    LIMITS: Message  # what it cannot show, in plain words
    FORMULA: str  # LaTeX
    PAPER: str  # citation with year and address
    VERSION: int  # raise it whenever compute() gives other numbers
    Options: type[_AnyOptions]

    def compute(
        self, classifier: Classifier | None, subjects: Subjects, options: _AnyOptions
    ) -> Sequence[Result]:
        """One Result per subject, in order. Pure: no files, no printing, no global state."""

    def draw(self, result: Result, options: _AnyOptions, context: Context) -> Figure:
        """The figure of one result; deterministic."""
