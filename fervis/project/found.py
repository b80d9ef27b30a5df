"""What the data and the network of a new project are like, and what a report can show of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from fervis.data import KINDS, Dataset, open_dataset
from fervis.data.formats.fer2013 import CLASSES
from fervis.engine.ground import near_chance
from fervis.engine.network import Facts, Network
from fervis.engine.pick import median_correct
from fervis.engine.run import probabilities
from fervis.engine.store import Store
from fervis.errors import DataError, ModelError
from fervis.gather import SMALL_SPLIT
from fervis.model.options import ModelOptions
from fervis.project.layers import Layers, choose_layers

MOST_CLASSES = 10
"""Of a network with hundreds of classes the report shows this many."""
UNLABELLED = "abcde"
SIZES = (48, 224, 64, 32, 28, 96, 128)


@dataclass(frozen=True)
class Wish:
    """What `fervis init` was told; ``factory`` as in report.yaml, the other paths from here."""

    data: Path | None = None
    split: str | None = None
    factory: str | None = None
    weights: Path | None = None
    size: int | None = None
    channels: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was said of data or network."""
        return self.data is None and self.factory is None and self.weights is None


@dataclass(frozen=True)
class Chosen:
    """A line under ``images:`` and why it was written."""

    name: int | str
    index: int | Literal["auto"]
    why: str


@dataclass(frozen=True)
class Found:
    """All that the template of report.yaml needs."""

    data: str  # YAML, indented by two
    model: str
    kind: str
    dataset: Dataset
    facts: Facts
    layers: Layers
    pictures: tuple[Chosen, ...]
    others: int  # classes that are not shown
    warnings: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, for the terminal."""
        split = self.dataset.split
        return (
            f"data: {len(self.dataset):,} pictures in the split {split}, "
            f"{len(self.dataset.classes)} classes",
            f"network: {len(self.facts.layers)} layers, {self.facts.parameters:,} parameters; "
            f"{self.facts.explains}",
        )


def look(folder: Path, wish: Wish) -> Found:
    """Opens data and network and chooses layers and pictures. Raises DataError, ModelError."""
    kind = _kind(wish.data)
    data: dict[str, Any] = {"kind": kind}
    if wish.data is not None:
        data["path"] = seen_from(folder, wish.data)
    if wish.split:
        data["split"] = wish.split
    if kind == "npz" and wish.factory is None:  # the file has no names; the default network does
        data["classes"] = [dict(text.by_language) for text in CLASSES]
    cache = folder / ".fervis"
    store = Store(cache / "results")
    first: ModelError | None = None
    for model in _guesses(folder, wish, data):
        options = ModelOptions.model_validate(model)
        dataset = open_dataset(
            KINDS[kind].model_validate(data),
            folder=folder,
            cache=cache / "data",
            size=options.height_width,
            channels=options.channels,
        )
        if not dataset.classes:
            raise DataError(
                f"{wish.data}: no labels, so nothing says how many classes there are; add labels, "
                "or write report.yaml by hand, with `classes:` under `data:`"
            )
        try:
            network = Network(options, folder, len(dataset.classes), store)
            facts = network.facts()
            break
        except ModelError as error:
            first = first or error
    else:
        raise first or ModelError("model: no input size to try")
    values = None
    if len(dataset) <= SMALL_SPLIT:
        values = probabilities(dataset, network, store, lambda *_: None)
    pictures = tuple(_pictures(dataset, values))
    chance = None
    if values is not None and dataset.labels is not None:
        chance = near_chance(values, dataset.labels)
    others = 0 if dataset.labels is None else len(dataset.classes) - len(pictures)
    return Found(
        _block(data),
        _block(model),
        kind,
        dataset,
        facts,
        choose_layers(facts),
        pictures,
        others,
        (*facts.warnings, *([chance] if chance else [])),
    )


def seen_from(folder: Path, path: Path) -> str:
    """``path`` as a report in ``folder`` should write it: relative if near, else absolute.

    Near is in the folder or beside it. Links are followed in folders, as ``..`` does.
    """
    place = Path(os.path.realpath(path.parent), path.name)
    base = Path(os.path.realpath(folder))
    near = place.is_relative_to(base.parent)
    return Path(os.path.relpath(place, base)).as_posix() if near else str(place)


def one_line(text: str, most: int = 60) -> str:
    """``text`` fit for a comment: printable, and not too long."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _kind(data: Path | None) -> str:
    if data is None:
        return "faces"
    return "folder" if data.is_dir() else "npz" if data.suffix == ".npz" else "fer2013"


def _guesses(folder: Path, wish: Wish, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """``model:`` as told; sizes and channels that were not told, until the network takes one."""
    model: dict[str, Any] = {"kind": "default"}
    if wish.factory is not None:
        model = {"factory": _inside(wish.factory, folder)}
    if wish.weights is not None:
        model["weights"] = seen_from(folder, wish.weights)
    if wish.factory is None:
        yield model
        return
    native = _native_size(folder, data)
    for size in dict.fromkeys([wish.size] if wish.size else [*native, *SIZES]):
        for channels in [wish.channels] if wish.channels else (1, 3):
            shape = {"size": size, "channels": channels}
            yield model | {key: value for key, value in shape.items() if _worth_saying(key, value)}


def _worth_saying(key: str, value: object) -> bool:
    return bool(value != ModelOptions.model_fields[key].default)


def _inside(factory: str, folder: Path) -> str:
    """``mine/hw3.py:Net`` as a report in ``mine/`` has to write it: ``hw3.py:Net``."""
    place, _, name = factory.rpartition(":")
    file = Path(place)
    beside = file.is_absolute() or not (folder / place).exists()
    if place.endswith(".py") and beside and file.is_file():
        inside = seen_from(folder, file)
        if inside.startswith("..") or Path(inside).is_absolute():
            raise ModelError(
                f"{place} lies outside {folder}; code runs only from inside the report's folder, "
                "so copy it there"
            )
        return f"{inside}:{name}"
    return factory


def _native_size(folder: Path, data: Mapping[str, Any]) -> list[int]:
    """The side of the pictures in an .npz, if they are square: a good first guess."""
    if data["kind"] != "npz":
        return []
    with np.load(folder / data["path"], allow_pickle=False) as stored:
        shapes = [array.shape for array in (stored[name] for name in stored.files)]
    for shape in shapes:
        if len(shape) in (3, 4):
            side = shape[2]  # (N, H, W), (N, H, W, C) and (N, C, H, W) alike, if square
            return [int(side)] if shape.count(side) > 1 and 8 <= side <= 1024 else []
    return []


def _pictures(dataset: Dataset, values: np.ndarray | None) -> Iterator[Chosen]:
    """A picture of every class that has one: the typical one, where the network is right."""
    labels = dataset.labels
    if labels is None:
        count = min(len(dataset), len(UNLABELLED))
        for letter, index in zip(UNLABELLED, range(0, len(dataset), max(1, len(dataset) // count)),
                                 strict=False):  # fmt: skip
            yield Chosen(letter, index, "any picture; the data has no labels")
        return
    shown = 0
    for label, text in enumerate(dataset.classes):
        members = np.flatnonzero(labels == label)
        if not len(members) or shown == MOST_CLASSES:
            continue
        shown += 1
        name = one_line(text.in_language("en"))
        if values is None:
            yield Chosen(label, "auto", name)
            continue
        typical = median_correct(values, labels, label)
        if typical is not None:
            sure = float(values[typical, label])
            yield Chosen(label, typical, f"{name}: classified correctly, with {sure:.0%}")
        else:
            index = int(members[values[members, label].argmax()])
            yield Chosen(label, index, f"{name}: the network gets no picture of this class right")


def _block(values: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    return "".join(f"  {line}\n" for line in text.splitlines())
