"""Pictures brought to the size and the channels that the network wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fervis.data.dataset import Dataset, GroundTruth
from fervis.data.options import Fit
from fervis.data.store import Recipe, Store, key_of
from fervis.data.writer import Writer

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

_ROWS = 256
_VERSION = 1
_WORDS = {
    "crop": "cut to its aspect ratio around the centre",
    "pad": "with black bars",
    "stretch": "stretched",
}


def fitted(
    dataset: Dataset, size: tuple[int, int], channels: int, fit: Fit, store: Store
) -> Dataset:
    """``dataset`` with images (N, *size, channels); ``notes`` say what was done.

    Resized copies are stored; gray pictures in three channels are a view that takes no space.
    """
    height, width, depth = dataset.images.shape[1:]
    notes = dict(dataset.notes)
    if (height, width) != size or depth > channels:
        import PIL

        key = key_of(
            "fit", _VERSION, PIL.__version__, dataset.digest, size, min(depth, channels), fit
        )
        recipe = Recipe(key, lambda writer: _resize_all(dataset, size, channels, fit, writer))
        stored = store.load(recipe, dataset.split)
        dataset = replace(
            dataset,
            images=stored.images,
            labels=stored.labels,
            digest=stored.digest,
            truth=dataset.truth and partial(_truth, dataset.truth, size, fit),
        )
    if (height, width) != size:
        how = f", {_WORDS[fit]}" if height * size[1] != width * size[0] else ""
        notes["size"] = f"{height}×{width} resized to {size[0]}×{size[1]}{how}"
    if depth < channels:
        wide = np.broadcast_to(dataset.images, (*dataset.images.shape[:3], channels))
        dataset = replace(dataset, images=wide, digest=key_of(dataset.digest, channels))
        notes["channels"] = f"gray, repeated in {channels} channels"
    elif depth > channels:
        notes["channels"] = "colour, turned to gray by luma (ITU-R 601)"
    return replace(dataset, notes=notes)


def resized(image: Image, size: tuple[int, int], fit: Fit) -> Image:
    """A picture of ``size`` (height, width), antialiased (bicubic)."""
    from PIL.Image import Resampling

    return _placed(image, size, fit, Resampling.BICUBIC)


def _placed(image: Image, size: tuple[int, int], fit: Fit, resample: Resampling) -> Image:
    from PIL import ImageOps

    box = (size[1], size[0])
    if image.size == box:
        return image
    if fit == "crop":
        return ImageOps.fit(image, box, resample)
    if fit == "pad":
        return ImageOps.pad(image, box, resample)
    return image.resize(box, resample)


def _resize_all(
    dataset: Dataset, size: tuple[int, int], channels: int, fit: Fit, writer: Writer
) -> None:
    for start in range(0, len(dataset), _ROWS):
        some = slice(start, start + _ROWS)
        images = np.stack([_resize(image, size, channels, fit) for image in dataset.images[some]])
        labels = None if dataset.labels is None else dataset.labels[some]
        writer.add(dataset.split, images, labels)


def _resize(
    image: NDArray[np.uint8], size: tuple[int, int], channels: int, fit: Fit
) -> NDArray[np.uint8]:
    """(H, W, C) → (*size, C), or one channel where ``channels`` is 1."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image[..., 0] if image.shape[2] == 1 else image))
    if channels == 1:
        picture = picture.convert("L")
    fitted = np.asarray(resized(picture, size, fit))
    return fitted[..., None] if fitted.ndim == 2 else fitted


def _truth(whole: Callable[[], GroundTruth], size: tuple[int, int], fit: Fit) -> GroundTruth:
    truth = whole()
    if truth.regions.shape[1:] == size:
        return truth
    from PIL import Image
    from PIL.Image import Resampling

    def maps(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack(
            [
                np.asarray(
                    _placed(
                        Image.fromarray(value.astype(np.float32)), size, fit, Resampling.BILINEAR
                    )
                )
                for value in values
            ]
        )

    regions = np.stack(
        [
            np.asarray(_placed(Image.fromarray(region), size, fit, Resampling.NEAREST))
            for region in truth.regions
        ]
    )
    return replace(truth, motion=maps(truth.motion), change=maps(truth.change), regions=regions)
