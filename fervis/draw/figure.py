"""What an analysis hands to the page: panels as encoded pictures, and the words beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape, unescape
from itertools import chain
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fervis.text import Message, Text

Role = Literal["picture", "map", "overlay", "tile", "chart"]


@dataclass(frozen=True)
class ColourBar:
    """The scale beside a map: values at its ends and the colour map between them."""

    low: float
    high: float
    colour_map: str


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    ``png`` is a native-resolution PNG (a 48×48 face is 48×48 pixels; the page enlarges it without
    smoothing); a chart has ``svg`` instead. ``key`` names its file within the figure. A ``map``
    panel may carry ``variants``: the same map in other colour maps, by name. ``words`` says what
    the texts inside ``svg`` mean, so that one drawing serves every language.
    """

    key: str
    role: Role
    title: Message
    alt: Message
    width: int
    height: int
    png: bytes = b""
    svg: str = ""
    colour_bar: ColourBar | None = None
    variants: Mapping[str, bytes] = field(default_factory=dict)
    words: Mapping[str, Message | Text] = field(default_factory=dict)

    def svg_in_words_of(self, say: Callable[[Message | Text], str]) -> str:
        """The chart with each text that ``words`` knows replaced by what ``say`` makes of it."""

        def put(found: re.Match[str]) -> str:
            word = self.words.get(unescape(found[1]))
            return found[0] if word is None else f">{escape(say(word))}</text>"

        return re.sub(r">([^<]+)</text>", put, self.svg)


@dataclass(frozen=True)
class Table:
    """A real table: one header row, and the first cell of each row is that row's header."""

    caption: Message
    header: tuple[Message | Text | str, ...]
    rows: tuple[tuple[Message | Text | str | float | int | None, ...], ...]


@dataclass(frozen=True)
class Fact:
    """How the figure was made, one line: "Layer": "conv2.relu (64×48×48)"."""

    name: Message
    value: Message | Text | str | float | int


@dataclass(frozen=True)
class NumberFile:
    """Numbers of a figure, ready to be downloaded.

    ``title`` tells it from others of its kind, ``key`` is the part of its file name that does.
    """

    kind: Literal["CSV", "NPZ"]
    title: str
    key: str
    content: bytes


@dataclass(frozen=True)
class Figure:
    """All that the page shows for one result. ``data`` is offered as a download (CSV, NPZ).

    A figure that was stored has ``numbers``, the files made from ``data``, in its place.
    ``caption`` says what is particular to this figure, with its numbers; ``reading`` how any such
    figure is to be read, which a page says once where several stand together.
    """

    panels: tuple[Panel, ...]
    caption: Message
    reading: Message | None = None
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    remarks: tuple[Message, ...] = ()  # sentences worth reading: dead filters, no positive evidence
    data: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    numbers: tuple[NumberFile, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its pictures and numbers."""
        pictures = (png for panel in self.panels for png in (panel.png, *panel.variants.values()))
        numbers = (file.content for file in self.numbers)
        return sum(map(len, chain(pictures, numbers))) + sum(a.nbytes for a in self.data.values())

    def in_words(self) -> Figure:
        """What a page says of it: without pictures and numbers, which are files of their own."""
        panels = tuple(replace(panel, png=b"", variants={}) for panel in self.panels)
        return replace(self, panels=panels, data={}, numbers=())
