"""Rooms out of focus: a gradient, soft shapes, now and then a window or a shelf."""

from __future__ import annotations

import numpy as np

from fervis.data.faces.assets import Floats
from fervis.data.faces.noise import smooth


def background(rng: np.random.Generator, size: int) -> Floats:
    """A picture (size, size) in display values 0 … 1."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    level = rng.uniform(0.12, 0.85)
    turn = rng.uniform(0, 2 * np.pi)
    out = level + rng.normal(0, 0.10) * ((x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn)) * 2
    for _ in range(int(rng.integers(3, 9))):
        cx, cy = rng.uniform(-0.1, 1.1, 2)
        w, h = rng.uniform(0.06, 0.35, 2)
        out = out + rng.normal(0, 0.11) * np.exp(-(((x - cx) / w) ** 2) - ((y - cy) / h) ** 2)
    kind = rng.random()
    blur = rng.uniform(0.015, 0.06)
    if kind < 0.3:  # a window or a picture on the wall
        left, top = rng.uniform(-0.2, 0.75), rng.uniform(-0.3, 0.3)
        right, bottom = left + rng.uniform(0.25, 0.6), top + rng.uniform(0.4, 0.8)
        box = smooth(left - blur, left + blur, x) * smooth(right + blur, right - blur, x)
        box = box * smooth(top - blur, top + blur, y) * smooth(bottom + blur, bottom - blur, y)
        out = out + rng.choice([-0.25, 0.2, 0.35]) * box
    elif kind < 0.5:  # uprights: shelves, curtains, trunks
        for _ in range(int(rng.integers(2, 6))):
            cx, w = rng.uniform(0, 1), rng.uniform(0.02, 0.08)
            bar = smooth(cx - w - blur, cx - w + blur, x) * smooth(cx + w + blur, cx + w - blur, x)
            out = out + rng.normal(0, 0.14) * bar
    elif kind < 0.7:  # a horizon
        edge = rng.uniform(0.3, 0.8) + rng.normal(0, 0.05) * (x - 0.5)
        out = out + rng.normal(0, 0.18) * smooth(-blur, blur, y - edge)
    return np.asarray(np.clip(out, 0.03, 0.97))
