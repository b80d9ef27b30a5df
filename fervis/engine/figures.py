"""Drawn figures as store entries, so that an edited sentence redraws and recounts nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fervis.draw.figure import ColourBar, Fact, Figure, NumberFile, Panel, Table
from fervis.draw.numbers import number_files
from fervis.engine.store import Entry
from fervis.text import Message, Text

_KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (ColourBar, Fact, Figure, Message, NumberFile, Panel, Table, Text)
}


def to_entry(figure: Figure) -> Entry:
    """Splits a figure into JSON and files (blobs): its pictures, and its data as downloads."""
    figure = dataclasses.replace(
        figure, data={}, numbers=(*figure.numbers, *number_files(figure.data))
    )
    blobs: dict[str, bytes] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            blobs[f"b{len(blobs)}"] = value
            return {"$blob": f"b{len(blobs) - 1}"}
        if isinstance(value, np.generic):
            return value.item()
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return {"$kind": type(value).__name__, **fields}
        if isinstance(value, Mapping):
            return {"$map": [[key, plain(item)] for key, item in value.items()]}
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return value

    return Entry(meta={"figure": plain(figure)}, blobs=blobs)


def from_entry(entry: Entry) -> Figure:
    """The figure that to_entry() took apart, with files for its data; lists become tuples again."""

    def rich(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(rich(item) for item in value)
        if not isinstance(value, dict):
            return value
        if "$blob" in value:
            return entry.blobs[value["$blob"]]
        if "$map" in value:
            return {key: rich(item) for key, item in value["$map"]}
        kind = _KINDS[value["$kind"]]
        return kind(**{key: rich(item) for key, item in value.items() if key != "$kind"})

    figure = rich(entry.meta["figure"])
    if not isinstance(figure, Figure):
        raise TypeError("the stored entry is no figure")
    return figure
