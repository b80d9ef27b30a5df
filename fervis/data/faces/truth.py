"""What a rendered picture knows about itself: regions and landmarks.

Left and right are the person's own.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces import assets
from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.noise import smooth, stroke
from fervis.data.faces.paint import BROW
from fervis.data.faces.samples import Samples

# value in the region map → (English, 繁體中文); 0 is no face at all
REGIONS: tuple[tuple[str, str], ...] = (
    ("background", "背景"),
    ("left eye", "左眼"),
    ("right eye", "右眼"),
    ("left brow", "左眉"),
    ("right brow", "右眉"),
    ("nose", "鼻子"),
    ("mouth", "嘴巴"),
    ("left cheek", "左頰"),
    ("right cheek", "右頰"),
    ("forehead", "額頭"),
    ("glabella", "眉間"),
    ("chin", "下巴"),
    ("left ear", "左耳"),
    ("right ear", "右耳"),
    ("hair", "頭髮"),
    ("neck", "頸部"),
    ("clothes", "衣服"),
)
NAMES = tuple(english for english, _ in REGIONS)
SIDED = ("eye", "brow", "cheek", "ear")

# name → place on the rest mesh; sided ones are given for the person's left (x > 0)
_MIDDLE = {
    "nose bridge": (0.0, 7.36, 1.45),
    "nose tip": (0.0, 7.02, 1.68),
    "nose base": (0.0, 6.90, 1.55),
    "upper lip": (0.0, 6.72, 1.58),
    "lower lip": (0.0, 6.52, 1.56),
    "chin": (0.0, 6.20, 1.45),
}
_SIDED = {
    "eye inner corner": (0.17, 7.275, 1.33),
    "eye outer corner": (0.46, 7.30, 1.25),
    "upper lid": (0.31, 7.355, 1.41),
    "lower lid": (0.31, 7.235, 1.37),
    "brow inner end": (0.11, 7.485, 1.48),
    "brow middle": (0.33, 7.535, 1.42),
    "brow outer end": (0.55, 7.45, 1.22),
    "nostril wing": (0.18, 6.98, 1.43),
    "mouth corner": (0.25, 6.61, 1.40),
    "cheek": (0.48, 6.98, 1.22),
    "jaw angle": (0.68, 6.60, 0.70),
}
LANDMARKS = (*_MIDDLE, *(f"{side} {name}" for name in _SIDED for side in ("left", "right")))
LANDMARK_STEPS = 64  # landmarks are kept to a 64th of a pixel
MOTION_STEPS = 256  # motion 1 / MOTION_STEPS: a 256th of the distance between the eyes
BROW_LINE = 7.42
CHIN_FLOOR = 6.12  # below it, and behind CHIN_BACK, skin is neck
CHIN_BACK = 0.95


@lru_cache(maxsize=1)
def landmark_vertices() -> Ints:
    """The skin vertex (L,) of each landmark."""
    pack = assets.load()
    places = list(_MIDDLE.values())
    for x, y, z in _SIDED.values():
        places += [(x, y, z), (-x, y, z)]
    away = np.where(pack.vertex_part == assets.BODY, 0.0, 1e3) + 10 * pack.inside_mouth
    apart = np.linalg.norm(pack.rest[None] - np.array(places)[:, None], axis=2) + away
    return np.asarray(apart.argmin(1))


def regions(seen: Samples) -> NDArray[np.uint8]:
    """Region of each point (n,), an index into REGIONS and never 0."""
    rest, part = seen.rest, seen.part
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    right = (rest[:, 0] < 0).astype(np.uint8)
    index = {name: np.uint8(k) for k, name in enumerate(NAMES)}
    face = z > 0.55
    out: NDArray[np.uint8] = np.full(len(rest), index["neck"], np.uint8)
    out[y < 5.72 + 0.35 * smooth(0.9, 1.5, x)] = index["clothes"]
    side = (y > CHIN_FLOOR + 0.75 * smooth(0.25, 0.75, x)) & (z > 0.2) & (x > 0.3)
    out[side] = index["left cheek"] + right[side]
    forehead = (y > BROW_LINE) & face
    out[forehead] = index["forehead"]
    cheek = face & (y <= BROW_LINE) & (y > 6.5) & (x < 0.95)
    out[cheek] = index["left cheek"] + right[cheek]
    chin = (z > CHIN_BACK) & (y <= 6.5) & (y > CHIN_FLOOR) & (x < 0.45)
    out[chin] = index["chin"]
    nose = face & (x < 0.235 - 0.115 * smooth(6.93, 7.25, y)) & (y > 6.865) & (y <= 7.40)
    out[nose] = index["nose"]
    out[face & (x < 0.10) & (y > 7.36) & (y < 7.58)] = index["glabella"]
    mouth = face & ((x / 0.34) ** 2 + ((y - 6.62) / 0.165) ** 2 < 1) & ~nose
    out[mouth | ((seen.lips > 0.4) & face) | (seen.inside > 0.3)] = index["mouth"]
    eye = face & (((x - 0.312) / 0.20) ** 2 + ((y - 7.285) / 0.115) ** 2 < 1)
    out[eye] = index["left eye"] + right[eye]
    brow = face & (stroke(np.column_stack([x, y]), BROW, 0.075, 0.055) > 0.37)
    out[brow] = index["left brow"] + right[brow]
    ear = seen.ears > 0.4
    out[ear] = index["left ear"] + right[ear]
    out[(seen.hair > 0.5) | (part == assets.HAIR)] = index["hair"]
    globe = (part == assets.EYE) | (part == assets.LASH)
    out[globe] = index["left eye"] + right[globe]
    out[(part == assets.TEETH) | (part == assets.TONGUE)] = index["mouth"]
    return np.asarray(out)


def majority(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The commonest label of each factor × factor block of a map (S, S); the smaller on a tie."""
    size = len(labels) // factor
    blocks = (
        labels.reshape(size, factor, size, factor).transpose(0, 2, 1, 3).reshape(size * size, -1)
    )
    counts = np.stack([(blocks == k).sum(1) for k in range(len(REGIONS))], 1)
    return np.asarray(counts.argmax(1).astype(np.uint8).reshape(size, size))


def average(values: Floats, factor: int) -> Floats:
    """Mean of each factor × factor block of a square map (S, S)."""
    size = len(values) // factor
    return np.asarray(values.reshape(size, factor, size, factor).mean((1, 3)))
