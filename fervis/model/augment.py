"""Random changes of training pictures, a batch at a time, from one generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; zero switches one off.

    ``rotation`` in degrees, ``shift`` and ``cutout`` as shares of the side, ``scale``, ``aspect``
    and ``contrast`` as relative ranges (0.15: 0.85…1.15), ``brightness`` in units of white.
    """

    flip: bool = True
    rotation: float = 14.0
    scale: float = 0.16
    aspect: float = 0.08
    shift: float = 0.09
    contrast: float = 0.35
    brightness: float = 0.15
    cutout: float = 0.33
    cutout_probability: float = 0.5


def augment(images: Tensor, size: int, how: Augmentation, rng: np.random.Generator) -> Tensor:
    """images (N, C, H, W) in 0…1 → (N, C, size, size) in 0…1: one affine move, light, cut-out."""
    n = len(images)
    angle = np.radians(rng.uniform(-how.rotation, how.rotation, n))
    zoom = rng.uniform(1 - how.scale, 1 + how.scale, n)
    stretch = rng.uniform(1 - how.aspect, 1 + how.aspect, n)
    mirror = np.where(how.flip & (rng.random(n) < 0.5), -1.0, 1.0)
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0] = np.cos(angle) * zoom * stretch * mirror
    theta[:, 0, 1] = -np.sin(angle) * zoom
    theta[:, 1, 0] = np.sin(angle) * zoom * stretch * mirror
    theta[:, 1, 1] = np.cos(angle) * zoom
    theta[:, :, 2] = 2 * rng.uniform(-how.shift, how.shift, (n, 2))
    grid = F.affine_grid(
        torch.from_numpy(theta), [n, images.shape[1], size, size], align_corners=False
    )
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    gain = torch.from_numpy(rng.uniform(1 - how.contrast, 1 + how.contrast, (n, 1, 1, 1))).float()
    offset = torch.from_numpy(rng.uniform(-how.brightness, how.brightness, (n, 1, 1, 1))).float()
    middle = moved.mean((2, 3), keepdim=True)
    moved = ((moved - middle) * gain + middle + offset).clamp_(0, 1)
    if how.cutout:
        side = np.maximum(1, (size * how.cutout * rng.uniform(0.5, 1, n)).astype(int))
        side = np.where(rng.random(n) < how.cutout_probability, side, 0)
        corner = rng.integers(0, size, (n, 2)) - side[:, None] // 2
        line = np.arange(size)
        rows = (line >= corner[:, :1]) & (line < corner[:, :1] + side[:, None])
        columns = (line >= corner[:, 1:]) & (line < corner[:, 1:] + side[:, None])
        hole = torch.from_numpy(rows[:, :, None] & columns[:, None, :])[:, None]
        moved = torch.where(hole, middle, moved)
    return moved
