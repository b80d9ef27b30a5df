"""One self-contained page with every picture of a split, to choose indices by looking."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.data.dataset import Dataset
from fervis.draw.png import encode
from fervis.render.language import words_in
from fervis.render.templates import Templates
from fervis.render.type import characters_of, pack, subset
from fervis.text import message

COLUMNS, ROWS = 25, 20
"""Pictures on one sheet; a few large images load faster than thousands of small ones."""


def write_pick_page(
    dataset: Dataset,
    probabilities: NDArray[np.float32],
    out: Path,
    *,
    language: str,
    templates: Sequence[Path],
) -> None:
    """Writes ``out``: each picture with index, class, prediction and confidence, filterable.

    probabilities (N, K) of all pictures of ``dataset``. The page stays on the author's machine:
    it holds all pixels, also of pictures that may not be published.
    """
    words = words_in(language, templates)
    names = [text.in_language(language) for text in dataset.classes]
    height, width = dataset.images.shape[1:3]
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    pictures = []
    for index in range(len(dataset)):
        label = None if dataset.labels is None else int(dataset.labels[index])
        sheet, place = divmod(index, COLUMNS * ROWS)
        row, column = divmod(place, COLUMNS)
        guess = int(predicted[index])
        state = "" if label is None else "right" if label == guess else "wrong"
        pictures.append({
            "index": index, "label": "" if label is None else label, "predicted": guess,
            "true": "" if label is None else names[label], "guess": names[guess],
            "confidence": words.number(float(confidence[index]), ".0%"), "state": state,
            "sheet": sheet, "x": column * width, "y": row * height,
            "alt": words.say(message("Picture {index}", index=index)),
        })  # fmt: skip
    values: dict[str, Any] = {
        "_": lambda text: words.say(message(text)),
        "language": language,
        "title": words.say(message("Pictures of the split {split}", split=dataset.split)),
        "classes": names,
        "pictures": pictures,
        "sheets": [],
        "font": "",
        "columns": COLUMNS,
        "width": width,
        "height": height,
        "zoom": max(1, 96 // width),
    }
    page = Templates(templates)
    shown = characters_of([page.render("pick.html", values)])
    values["font"] = base64.b64encode(pack(subset("sans", shown))).decode()
    values["sheets"] = list(_sheets(dataset))
    out.write_text(page.render("pick.html", values), "utf-8")


def _sheets(dataset: Dataset) -> Iterator[str]:
    """PNG sheets of COLUMNS × ROWS pictures, base64."""
    count, (height, width, channels) = len(dataset), dataset.images.shape[1:]
    for start in range(0, count, COLUMNS * ROWS):
        pictures = np.asarray(dataset.images[start : start + COLUMNS * ROWS])
        padded = np.zeros((COLUMNS * ROWS, height, width, channels), np.uint8)
        padded[: len(pictures)] = pictures
        rows = -(-len(pictures) // COLUMNS)
        sheet = (padded.reshape(ROWS, COLUMNS, height, width, channels)[:rows]
                 .transpose(0, 2, 1, 3, 4)
                 .reshape(rows * height, COLUMNS * width, channels))  # fmt: skip
        yield base64.b64encode(encode(sheet[..., 0] if channels == 1 else sheet)).decode()
