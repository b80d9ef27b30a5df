"""A data set: pictures of one size, labels where known, names of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fervis.text import Text


@dataclass(frozen=True)
class GroundTruth:
    """What is known of every picture beyond its class (rendered faces only).

    motion and change (N, H, W) float32 ≥ 0, regions (N, H, W) uint8 indexing ``region_names``.
    """

    motion: NDArray[np.float32]
    change: NDArray[np.float32]
    regions: NDArray[np.uint8]
    region_names: tuple[Text, ...]


@dataclass(frozen=True)
class Dataset:
    """One split, opened: images (N, H, W, C) uint8 (memory-mapped where large).

    ``labels`` (N,) int64 or None where the source has none; ``classes`` in label order;
    ``digest`` is a hash of the images' and labels' bytes (not of file times);
    ``redistributable`` says whether its pictures may be published in bulk (``data:`` may say so);
    ``places`` names where a picture comes from ("train/angry/3.jpg", "row 17"), if that helps.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    classes: tuple[Text, ...]
    split: str
    digest: str
    redistributable: bool
    licence: str = ""
    truth: Callable[[], GroundTruth] | None = None  # read when somebody asks
    notes: Mapping[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)
