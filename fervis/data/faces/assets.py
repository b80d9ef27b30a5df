"""The packed head: one mesh and every shape that identities and expressions mix.

Coordinates are MakeHuman's: decimetres, x to the person's left, y up, z out of the face. "Rest"
coordinates are those of the unshaped mesh; paint is laid on in them, so that it moves with the
skin. Made by `tools/build_face_assets.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BODY, EYE, TEETH, TONGUE, LASH, HAIR = range(6)
SHEETS = (TEETH, TONGUE, HAIR)  # parts without an inside: both of their sides are seen
OFFSET_STEP = 5e-4
PATH = Path(__file__).with_name("assets.npz")


@dataclass(frozen=True)
class Assets:
    """The mesh, V vertices and T triangles, and its shapes by name."""

    rest: Floats  # (V, 3)
    triangles: Ints  # (T, 3)
    part: Ints  # (T,) one of BODY … LASH
    vertex_part: Ints  # (V,)
    lips: Floats  # (V,) 0 … 1
    inside_mouth: Floats  # (V,) 0 … 1
    ears: Floats  # (V,) 0 … 1
    shapes: Mapping[str, tuple[Ints, Floats]]  # name → vertices (n,), offsets (n, 3)

    def apply(self, vertices: Floats, name: str, weight: float) -> None:
        """Add one shape to vertices (V, 3), in place."""
        if weight:
            index, offset = self.shapes[name]
            vertices[index] += weight * offset


@lru_cache(maxsize=1)
def load() -> Assets:
    """The assets that ship with the package."""
    with np.load(PATH, allow_pickle=False) as pack:
        triangles = pack["triangles"].astype(np.int64)
        part = pack["part"].astype(np.int64)
        rest = pack["rest"].astype(np.float64)
        high = pack["offsets_high"].view(np.int8).astype(np.int64)
        offsets = (high * 256 + pack["offsets_low"]) * OFFSET_STEP
        gaps, counts, names = pack["index_gaps"].astype(np.int64), pack["counts"], pack["names"]
        lips, inside_mouth, ears = (pack[name] / 255.0 for name in ("lips", "inside_mouth", "ears"))
    vertex_part = np.zeros(len(rest), np.int64)
    vertex_part[triangles] = part[:, None]
    shapes: dict[str, tuple[Ints, Floats]] = {}
    start = 0
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        block = offsets[3 * start : 3 * (start + count)].reshape(3, count).T
        shapes[name] = (np.cumsum(gaps[start : start + count]), block)
        start += count
    return Assets(rest, triangles, part, vertex_part, lips, inside_mouth, ears, shapes)
