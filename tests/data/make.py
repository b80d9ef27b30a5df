"""Small data sets in the formats people have, made of noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from fervis.data import KINDS, open_dataset
from fervis.data.dataset import Dataset


def noise(count: int, seed: int = 0, side: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side)).astype(np.uint8)


def pixels(image: np.ndarray) -> str:
    return " ".join(map(str, image.ravel().tolist()))


def kaggle(images: np.ndarray, labels: Sequence[int], usages: Sequence[str]) -> str:
    rows = zip(images, labels, usages, strict=True)
    return lines("emotion,pixels,Usage", (f"{k},{pixels(i)},{u}" for i, k, u in rows))


def other_edition(images: np.ndarray, labels: Sequence[int], usages: Sequence[str]) -> str:
    rows = zip(images, labels, usages, strict=True)
    return lines("emotion, Usage, pixels", (f"{k},{u},{pixels(i)}" for i, k, u in rows))


def course(images: np.ndarray, labels: Sequence[int]) -> str:
    rows = zip(images, labels, strict=True)
    return lines("label,feature", (f"{k},{pixels(i)}" for i, k in rows))


def unlabelled(images: np.ndarray) -> str:
    return lines("id,feature", (f"{n},{pixels(i)}" for n, i in enumerate(images)))


def lines(header: str, rows: Iterable[str]) -> str:
    return "\n".join([header, *rows, ""])


class Opener:
    """Opens data sets of one folder, with a cache beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"

    def __call__(
        self,
        kind: str,
        path: str = "",
        *,
        split: str | None = None,
        size: tuple[int, int] = (48, 48),
        channels: int = 1,
        **options: object,
    ) -> Dataset:
        place = {"path": path} if path else {}
        return open_dataset(
            KINDS[kind](kind=kind, **place, **options),
            folder=self.folder,
            cache=self.cache,
            size=size,
            channels=channels,
            split=split,
        )
