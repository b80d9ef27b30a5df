"""The faces that ship: chosen by eye for variety of age, gender and skin tone, split by identity.

python -m fervis.data.faces.shipped        # renders them again, byte for byte
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fervis.data.faces.faceset import FaceSet

Split = Literal["train", "test"]

SEED, SIZE, VIEWS = 2026, 48, 2
PATH = Path(__file__).with_name("shipped.npz")

# numbers of the seed's endless row of identities; a third each of light, medium and dark skin
# fmt: off
TEST = frozenset((
    2, 3, 5, 11, 13, 22, 60, 65, 66, 72, 77, 81, 82, 83, 86, 87, 97, 100, 107, 114, 135, 158, 173,
    186,
))
TRAIN = frozenset((
    0, 1, 7, 8, 12, 14, 23, 28, 33, 38, 47, 48, 54, 57, 61, 62, 68, 74, 76, 78, 79, 80, 92, 94, 98,
    101, 103, 112, 117, 126, 127, 128, 133, 141, 151, 152, 157, 169, 175, 178,
))
# fmt: on


@lru_cache(maxsize=1)
def _everyone() -> FaceSet:
    from fervis.data.faces import faceset

    return faceset.load(PATH)


def _people(split: Split) -> frozenset[int]:
    return TRAIN if split == "train" else TEST


def load(split: Split) -> FaceSet:
    """Shipped pictures (N, 48, 48) uint8 of one split with their truth; no identity is in both."""
    return _everyone().only(_people(split))


def pictures(split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The same pictures and their labels (N,) alone, in a fifth of the time."""
    with np.load(PATH, allow_pickle=False) as pack:
        chosen = np.flatnonzero(np.isin(pack["identities"], sorted(_people(split))))
        return pack["images"][chosen], pack["labels"][chosen].astype(np.int64)


def rebuild(path: Path = PATH) -> None:
    """Render the shipped set again."""
    from fervis.data.faces import faceset
    from fervis.data.faces.generate import render_set

    faceset.save(render_set(sorted(TRAIN | TEST), SEED, SIZE, VIEWS), path)


if __name__ == "__main__":
    rebuild()
