"""Pictures with something laid over them: heat, covers, outlines and patterns."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Element = TypeVar("Element", bound=np.generic)
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def rgb(picture: Pixels) -> Pixels:
    """``picture`` (H, W), (H, W, 1) or (H, W, 3) as (H, W, 3)."""
    if picture.ndim == 2:
        picture = picture[:, :, np.newaxis]
    return np.broadcast_to(picture, (*picture.shape[:2], 3))


def blend(picture: Pixels, colours: Pixels, opacity: float) -> Pixels:
    """``colours`` (H, W, 3) over ``picture``, mixed with ``opacity`` in 0…1: (H, W, 3) uint8."""
    mixed = rgb(picture) * (1.0 - opacity) + colours * opacity
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def cover(picture: Pixels, hidden: Mask) -> Pixels:
    """``picture`` (H, W[, C]) with ``hidden`` (H, W) pixels filled with its mean colour."""
    shown = picture.copy()
    mean = picture.reshape(-1, *picture.shape[2:]).mean(axis=0)
    shown[hidden] = np.clip(mean + 0.5, 0, 255).astype(np.uint8)
    return shown


def enlarge(array: NDArray[Element], factor: int) -> NDArray[Element]:
    """Every pixel of (H, W[, C]) as a square of ``factor`` × ``factor``."""
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def borders(segments: NDArray[np.integer[Any]], among: Mask) -> Mask:
    """Pixels of ``among`` (H, W) that touch another segment: a closed line inside each segment."""
    padded = np.pad(segments, 1, constant_values=-1)
    centre = padded[1:-1, 1:-1]
    differs = np.zeros(segments.shape, bool)
    for neighbour in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        differs |= neighbour != centre
    return differs & among


def stripes(shape: tuple[int, int], period: int) -> Mask:
    """Diagonal lines of one pixel, ``period`` pixels apart: a pattern that needs no colour."""
    rows, columns = np.indices(shape)
    return np.asarray((rows + columns) % period == 0)


def tint(picture: Pixels, where: Mask, colour: tuple[int, int, int], opacity: float) -> Pixels:
    """``picture`` (H, W, 3) with ``colour`` mixed in at ``where`` (H, W)."""
    shown = picture.copy()
    mixed = picture[where] * (1.0 - opacity) + np.array(colour) * opacity
    shown[where] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return shown


def fit(array: NDArray[Element], shape: tuple[int, int]) -> NDArray[Element]:
    """``array`` (H, W[, C]) at another height and width, by the nearest pixel."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(shape, array.shape[:2], strict=True)
    )
    fitted: NDArray[Element] = array[rows[:, None], columns]
    return fitted
