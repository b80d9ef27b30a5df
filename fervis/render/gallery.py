"""The pictures behind every cell of the confusion matrix, the surest mistakes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervis.render.document import Document, Gallery
from fervis.render.files import Files
from fervis.text import Text

FOLDER = "gallery"
"""Where the pictures lie: the folder that `fervis publish` may leave out."""

WHOLE = 2000
"""Splits of up to this many pictures are shown whole; of larger ones the mistakes are."""

FEW = 12
"""So many of the surest right answers of a class are shown of a larger split."""

ALL_MISTAKES = 5000
"""Splits of up to this many pictures are shown with all mistakes."""

MOST = 24
"""So many of the surest mistakes of a cell are shown of a larger split, and in all at most …"""

IN_ALL = 1200
"""… about so many, however many classes there are: the site stays a few megabytes."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of a cell: its index in the split, how sure the network was, how sure it was of
    the true class."""

    index: int
    src: str
    confidence: float
    truth: float


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix; ``pictures`` are the surest first and may be fewer than ``count``."""

    id: str
    true: Text
    predicted: Text
    right: bool
    count: int
    share: float  # of the pictures of the true class
    pictures: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class GalleryView:
    """The matrix, and its cells that are not empty: mistakes first, the most frequent on top."""

    rows: tuple[tuple[Cell, ...], ...]
    cells: tuple[Cell, ...]
    width: int
    height: int


def build_gallery(document: Document, files: Files) -> GalleryView | None:
    """The gallery of ``document`` with its pictures in ``files``; None if it has none."""
    gallery = document.gallery
    if gallery is None or not len(gallery.labels):
        return None
    predicted = gallery.probabilities.argmax(1)
    classes = range(len(document.classes))
    most = _most(gallery.labels, predicted)
    rows = tuple(
        tuple(_cell(document, gallery, predicted, row, column, most, files) for column in classes)
        for row in classes
    )
    filled = [cell for row in rows for cell in row if cell.count]
    filled.sort(key=lambda cell: (cell.right, 0 if cell.right else -cell.count))  # else as it is
    height, width = gallery.images.shape[1:3]
    return GalleryView(rows, tuple(filled), width, height)


def _most(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> tuple[int, int]:
    """How many pictures of a cell are shown: of wrong answers, and of right ones."""
    if len(labels) <= WHOLE:
        return len(labels), len(labels)
    if len(labels) <= ALL_MISTAKES:
        return len(labels), FEW
    cells = len(np.unique(np.stack([labels, predicted]), axis=1).T)
    share = max(1, IN_ALL // cells)
    return min(MOST, share), min(FEW, share)


def _cell(
    document: Document,
    gallery: Gallery,
    predicted: np.ndarray,
    row: int,
    column: int,
    most: tuple[int, int],
    files: Files,
) -> Cell:
    of_class = gallery.labels == row
    members = np.flatnonzero(of_class & (predicted == column))
    confidence = gallery.probabilities[members, column]
    surest = members[np.argsort(-confidence, kind="stable")][: most[row == column]]
    return Cell(
        f"true-{row}-predicted-{column}",
        document.classes[row],
        document.classes[column],
        row == column,
        len(members),
        len(members) / max(int(of_class.sum()), 1),
        tuple(_thumbnail(gallery, int(index), row, column, files) for index in surest),
    )


def _thumbnail(gallery: Gallery, index: int, row: int, column: int, files: Files) -> Thumbnail:
    shares = gallery.probabilities[index]
    src = files.picture(f"{FOLDER}/{index}.png", gallery.images[index])
    return Thumbnail(index, src, float(shares[column]), float(shares[row]))
