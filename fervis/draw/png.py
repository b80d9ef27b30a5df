"""Arrays to PNG bytes: opaque, without metadata, the same bytes for the same pixels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of ``pixels`` (H, W), (H, W, 1) or (H, W, 3) uint8: gray or RGB, never with alpha.

    Raises ValueError for any other shape or type.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype != np.uint8 or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    ):
        raise ValueError(f"a picture is (H, W[, 1 or 3]) uint8, not {pixels.shape} {pixels.dtype}")
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()


def decode(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG made by encode(): (H, W) or (H, W, 3) uint8."""
    from PIL import Image

    with Image.open(BytesIO(data)) as image:
        return np.asarray(image, dtype=np.uint8)
