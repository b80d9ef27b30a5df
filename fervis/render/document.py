"""The whole of what the pages show, gathered before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.draw.figure import Figure
from fervis.spec.report import Part, Report
from fervis.text import Message, Text


@dataclass(frozen=True)
class Picture:
    """One picture that the report uses. ``name`` is its key in ``images:``.

    ``image`` (H, W, C) uint8; ``probabilities`` (K,) float32 of the network, None if it failed.
    """

    name: int | str
    index: int
    image: NDArray[np.uint8]
    label: int | None
    probabilities: NDArray[np.float32] | None


@dataclass(frozen=True)
class Failure:
    """Why a block has no figure."""

    what: Message
    reason: str


@dataclass(frozen=True)
class Shown:
    """One figure of a block: of ``picture`` (a key of Document.pictures), or of none.

    Of many figures ``figure`` need only be ``in_words()``; ``whole()`` then fetches the pictures
    and numbers of one, when they are written.
    """

    figure: Figure | None
    picture: int | str | None = None
    failure: Failure | None = None
    whole: Callable[[], Figure] | None = None


@dataclass(frozen=True)
class Block:
    """A part of an answer with its figures, in the order in which they are shown."""

    part: Part
    shown: tuple[Shown, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Method:
    """What methods.html says about an analysis: what it answers, its formula, its limits."""

    title: Message
    answers: Message
    formula: str = ""  # LaTeX
    limits: Message | None = None
    paper: str = ""
    url: str = ""


@dataclass(frozen=True)
class NetworkFacts:
    """What network.html and the captions say about the network."""

    name: Message | str
    layers: tuple[Mapping[str, Any], ...]  # name, path, kind, shape, parameters
    parameters: int
    explains: Message
    fingerprint: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """The whole split, for the pages behind the confusion matrix.

    ``images`` (N, H, W, C) uint8, ``labels`` (N,) int64, ``probabilities`` (N, K) float32.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Document:
    """All of a report, computed and drawn."""

    report: Report
    classes: tuple[Text, ...]
    split: str
    dataset: Message | str  # what a report calls the data
    dataset_size: int
    pictures: Mapping[int | str, Picture]
    answers: tuple[tuple[Block, ...], ...]  # one tuple of blocks a question
    network: NetworkFacts
    accuracy: float | None = None
    methods: Mapping[str, Method] = field(default_factory=dict)  # by the analysis' name
    versions: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    training: tuple[Shown, ...] = ()  # curves for the network's page that no part shows
    gallery: Gallery | None = None  # where labels and probabilities of the split are known
