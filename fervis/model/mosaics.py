"""Mosaics: pictures put together from the parts of two, such as a picture with parts hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Mosaics:
    """``len(masks)`` pictures. In picture n, part k shows ``shown`` where ``masks[n, k]`` is 1.

    ``shown`` and ``hidden`` are (H, W, C) uint8; ``parts`` (H, W) are labels 0…K-1; ``masks``
    (N, K) are 0 and 1.
    """

    shown: NDArray[np.uint8]
    hidden: NDArray[np.uint8]
    parts: NDArray[np.int64]
    masks: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.masks)

    def pictures(self, start: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Some of them, or all, as (n, H, W, C) uint8."""
        seen = self.masks[start:stop].astype(bool)[:, self.parts, np.newaxis]
        return np.where(seen, self.shown, self.hidden)
