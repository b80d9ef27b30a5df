"""Light on the head: soft, shadowed, and shared by every view of one expression.

The sky is a few dozen directions. For each, one shadow map says which vertices it reaches; what a
vertex then receives is a weighted sum, so that views and lamps cost one product each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.raster import depth_map

DIRECTIONS = 30
SHADOW_SIZE = 88
WRAP = 0.14  # light that skin carries past the terminator


@dataclass(frozen=True)
class Lamp:
    """A key light over an even sky; degrees in camera space, yaw to the picture's right."""

    yaw: float
    pitch: float
    key: float
    sky: float
    hardness: float


def normals(vertices: Floats, triangles: Ints) -> Floats:
    """Unit vertex normals (V, 3), triangles weighted by area."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    corners = triangles.T.ravel()
    count = len(vertices)
    total = np.stack([np.bincount(corners, np.tile(face[:, k], 3), count) for k in range(3)], 1)
    return np.asarray(total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12))


@lru_cache(maxsize=1)
def directions() -> Floats:
    """Evenly spread unit vectors (D, 3) around +z; the sky right behind the head is left out."""
    k = np.arange(DIRECTIONS) + 0.5
    polar = np.arccos(1 - 1.7 * k / DIRECTIONS)
    turn = np.pi * (1 + 5**0.5) * k
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], 1)


def reach(vertices: Floats, triangles: Ints, open_sheets: NDArray[np.bool_]) -> Floats:
    """How far each direction's light reaches each vertex, (V, D) in 0 … 1, by soft shadow maps.

    Triangles (T, 3) that face away cast no shadow of their own, unless they are `open_sheets` (T,),
    which have no inside.
    """
    sky = directions()
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    facing = np.einsum("ti,di->dt", np.cross(b - a, c - a), sky) > 0
    out = np.empty((len(vertices), len(sky)))
    local = vertices - (vertices.min(0) + vertices.max(0)) / 2
    size = SHADOW_SIZE
    for k, toward in enumerate(sky):
        up = np.array([0.0, 1.0, 0.0]) if abs(toward[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
        right = np.cross(up, toward)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(toward, right), toward])
        q = np.einsum("vi,ai->va", local, axes)
        half = np.abs(q[:, :2]).max() * 1.02
        grid = (q[:, :2] / half * 0.5 + 0.5) * (size - 1)
        casting = triangles[facing[k] | open_sheets]
        nearest = depth_map(np.column_stack([grid, q[:, 2]]), casting, size)
        bias = 4.2 * half / size
        cell = np.clip(np.floor(grid).astype(np.int64), 0, size - 2)
        f = grid - cell
        seen = np.zeros(len(vertices))
        for dy in (0, 1):
            for dx in (0, 1):
                weight = (f[:, 0] if dx else 1 - f[:, 0]) * (f[:, 1] if dy else 1 - f[:, 1])
                over = nearest[(cell[:, 1] + dy) * size + cell[:, 0] + dx] - q[:, 2]
                seen += weight * np.clip(1.35 - over / bias, 0, 1)
        out[:, k] = seen
    return out


def weights(lamp: Lamp, rotation: Floats) -> tuple[Floats, Floats, Floats]:
    """Light per direction (D,), the key's share of it (D,) summing to 1, the key's direction (3,).

    All in head space; `rotation` (3, 3) takes head space to camera space.
    """
    yaw, pitch = np.radians([lamp.yaw, lamp.pitch])
    toward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    key = np.einsum("ij,i->j", rotation, toward)
    sky = directions()
    facing = np.einsum("di,i->d", sky, key)
    lobe = np.exp(lamp.hardness * (facing - 1))
    lobe /= lobe.sum()
    above = np.einsum("di,i->d", sky, rotation[1])
    return lamp.key * lobe + lamp.sky * (1 + 0.45 * above) * 2 / len(sky), lobe, key


def transfer(reached: Floats, normal: Floats) -> Floats:
    """What each direction gives each vertex (V, D); reached (V, D), normal (V, 3)."""
    facing = np.einsum("vi,di->vd", normal, directions())
    return np.asarray(np.clip((facing + WRAP) / (1 + WRAP), 0, None) * reached)
