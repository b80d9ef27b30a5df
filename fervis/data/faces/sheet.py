"""The contact sheet of the documentation: people, expressions, and what is known of them.

python -m fervis.data.faces.sheet docs/images/faces.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces import shipped
from fervis.data.faces.expression import CLASSES
from fervis.data.faces.faceset import FaceSet
from fervis.data.faces.generate import render_set

PEOPLE = (13, 7, 135, 14, 82, 38, 77, 98)
SIZE = 128
MOTION_INK, CHANGE_INK = (255, 70, 0), (0, 150, 255)
INKS = (  # one per entry of truth.REGIONS
    (0, 0, 0), (0, 190, 255), (255, 90, 90), (0, 110, 60), (150, 80, 20), (255, 205, 0),
    (220, 0, 150), (110, 220, 120), (240, 150, 70), (120, 140, 255), (160, 60, 255), (0, 170, 170),
    (60, 90, 40), (110, 60, 40), (50, 50, 70), (150, 150, 150), (90, 90, 90),
)  # fmt: skip
GAIN = 3.0  # motion and change at which the ink is full: a third

Colours = NDArray[np.uint8]


def row(faces: FaceSet, start: int) -> NDArray[np.float64]:
    """The seven pictures from `start` on, side by side, (S, 7 S, 3)."""
    pictures = faces.images[start : start + len(CLASSES)]
    return np.repeat(np.concatenate(list(pictures), 1)[..., None], 3, 2).astype(np.float64)


def inked(
    picture: NDArray[np.float64], amount: NDArray[np.float32], ink: tuple[int, ...]
) -> Colours:
    """A picture (H, W, 3) with ink laid over it by `amount` (H, W)."""
    share = np.clip(amount * GAIN, 0, 1)[..., None]
    return np.asarray(picture * (1 - share) + share * np.array(ink)).astype(np.uint8)


def sheet(size: int = SIZE) -> Colours:
    """A row per person in PEOPLE; under the first: motion, change, regions. (H, W, 3)."""
    faces = render_set(PEOPLE, shipped.SEED, size, views=1)
    first = slice(0, len(CLASSES))
    plain = row(faces, 0)
    regions = np.array(INKS)[np.concatenate(list(faces.regions[first]), 1)]
    rows = [
        plain.astype(np.uint8),
        inked(plain, np.concatenate(list(faces.motion[first]), 1), MOTION_INK),
        inked(plain, np.concatenate(list(faces.change[first]), 1), CHANGE_INK),
        (0.55 * regions + 0.45 * plain).astype(np.uint8),
    ]
    starts = range(len(CLASSES), len(faces), len(CLASSES))
    rows += [row(faces, start).astype(np.uint8) for start in starts]
    return np.concatenate(rows)


if __name__ == "__main__":
    from PIL import Image

    Image.fromarray(sheet()).save(Path(sys.argv[1]), optimize=True)
