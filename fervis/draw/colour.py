"""From numbers to colours: named scalings first, then a look-up table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.draw import tables

Floats = NDArray[np.floating[Any]]


def _table(hexadecimal: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(hexadecimal), np.uint8).reshape(256, 3)


COLOUR_MAPS: Mapping[str, NDArray[np.uint8]] = {
    "jet": _table(tables.JET),
    "viridis": _table(tables.VIRIDIS),
}
"""name → (256, 3) uint8. Viridis grows evenly in lightness; jet is what the papers printed."""


def by_maximum(values: Floats) -> NDArray[np.float32]:
    """``values`` ≥ 0 divided by their maximum, so that 0 stays 0; all zero stays all zero."""
    high = float(values.max(initial=0.0))
    if high <= 0:
        return np.zeros(values.shape, np.float32)
    return np.asarray(np.clip(values / high, 0, 1), np.float32)


def by_range(values: Floats) -> NDArray[np.float32]:
    """``values`` stretched from their minimum to their maximum onto 0…1; a flat map becomes 0."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.float32)
    return np.asarray((values - low) / (high - low), np.float32)


def colourise(scaled: Floats, colour_map: str) -> NDArray[np.uint8]:
    """Colours of ``scaled`` (H, W) in 0…1: (H, W, 3) uint8. Raises KeyError for another map."""
    return COLOUR_MAPS[colour_map][gray(scaled)]


def gray(scaled: Floats) -> NDArray[np.uint8]:
    """``scaled`` (H, W) in 0…1 as gray levels (H, W) uint8."""
    return np.asarray(np.clip(scaled * 255 + 0.5, 0, 255), np.uint8)


def strip(colour_map: str) -> NDArray[np.uint8]:
    """The colour map as a picture (1, 256, 3) uint8, low values left: for a colour bar."""
    return COLOUR_MAPS[colour_map][np.newaxis]
