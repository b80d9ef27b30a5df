"""Which split of a data set is meant; a held-out share where the source has no split of its own."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from fervis.data.faults import one_of
from fervis.data.options import FileOptions, Request
from fervis.data.store import Recipe, Stored, key_of
from fervis.data.writer import Writer
from fervis.errors import DataError

DEFAULTS = (
    "PublicTest",
    "PrivateTest",
    "test",
    "testing",
    "val",
    "valid",
    "validation",
    "all",
    "train",
    "training",
    "Training",
)
_SHARED_OUT = ("Training", "all")  # the splits that `train` and `heldout` are made of
_ROWS = 512
_VERSION = 1


def open_one(
    request: Request, recipe: Recipe, options: FileOptions, name: str
) -> tuple[str, Stored]:
    """(name, contents) of the split wanted, or of the one that most people mean."""
    store, wanted = request.store, request.split
    records = store.records(recipe)
    if wanted is None:
        wanted = next((split for split in DEFAULTS if split in records), next(iter(records)))
    if wanted in records:
        return wanted, store.load(recipe, wanted)
    whole = next((split for split in _SHARED_OUT if split in records), None)
    shared = ("train", "heldout") if whole else ()
    if whole is None or wanted not in shared:
        known = [f"{split} ({record.shape[0]:,})" for split, record in records.items()]
        near = one_of([*records, *shared], wanted).partition(" (did")[1:]
        raise DataError(
            f"{name}: no split {wanted!r}; there is {one_of([*known, *shared])}" + "".join(near)
        )
    key = key_of(
        "held out", _VERSION, records[whole].digest, options.held_out, options.held_out_seed
    )
    parts = Recipe(key, lambda writer: _share_out(store.load(recipe, whole), options, writer))
    if wanted not in store.records(parts):
        raise DataError(f"{name}: held_out: {options.held_out} leaves no picture for {wanted}")
    return wanted, store.load(parts, wanted)


def held_out(images: NDArray[np.uint8], share: float, seed: int) -> NDArray[np.bool_]:
    """(N,) whether each picture is held out: those whose bytes hash lowest, with the seed.

    At least one, and equal pictures together (FER2013 has hundreds of them twice), so that no
    picture is learned from and tested on.
    """
    salt = f"{seed}:".encode()
    ranks = np.array(
        [
            int.from_bytes(hashlib.sha256(salt + image.tobytes()).digest()[:8], "big")
            for image in images
        ],
        np.uint64,
    )
    last = np.sort(ranks)[max(1, round(share * len(ranks))) - 1]
    chosen: NDArray[np.bool_] = ranks <= last
    return chosen


def _share_out(whole: Stored, options: FileOptions, writer: Writer) -> None:
    chosen = held_out(whole.images, options.held_out, options.held_out_seed)
    for split, members in (("train", ~chosen), ("heldout", chosen)):
        indices = np.flatnonzero(members)
        for start in range(0, len(indices), _ROWS):
            some = indices[start : start + _ROWS]
            labels = None if whole.labels is None else whole.labels[some]
            places = [whole.places[i] for i in some] if whole.places else ()
            writer.add(split, whole.images[some], labels, places)
