"""Words and panels that several analyses share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.analyses._contract import Context, Result
from fervis.draw import png
from fervis.draw.figure import Panel
from fervis.text import Message, Text, message

DASH = "–"
"""What stands in a table where there is no number."""

_PLACES = (
    (message("at the top left"), message("at the top"), message("at the top right")),
    (message("on the left"), message("in the middle"), message("on the right")),
    (message("at the bottom left"), message("at the bottom"), message("at the bottom right")),
)


def number(value: float) -> str:
    """Three significant digits: 0.0123, 4.56, 1.2e-08."""
    return f"{value:.3g}"


def percent(share: float, digits: int = 0) -> str:
    """A share in 0…1 as per cent; a dash for NaN."""
    return DASH if np.isnan(share) else f"{share:.{digits}%}"


def class_name(context: Context, label: int) -> Text:
    """The author's name of a class, or its number where it has none."""
    known = 0 <= label < len(context.classes)
    return context.classes[label] if known else Text.same(str(label))


def target_name(result: Result, context: Context) -> Text:
    """The explained class alone, where the heading has said already what was predicted."""
    return class_name(context, int(_number(result, "target")))


def explained(result: Result, context: Context) -> Message:
    """The explained class, and how it relates to the true and to the predicted one."""
    target, predicted = int(_number(result, "target")), int(_number(result, "predicted"))
    words = {
        "name": class_name(context, target),
        "predicted": class_name(context, predicted),
        "true": Text.same("") if context.label is None else class_name(context, context.label),
    }
    if target == context.label == predicted:
        return message("{name} (the true class, also predicted)", **words)
    if target == context.label:
        return message("{name} (the true class; predicted: {predicted})", **words)
    if context.label is None:
        return (
            message("{name} (the predicted class)", **words)
            if target == predicted
            else message("{name} (predicted: {predicted})", **words)
        )
    if target == predicted:
        return message("{name} (the predicted class; true: {true})", **words)
    return message("{name} (true: {true}; predicted: {predicted})", **words)


def picture_panel(context: Context) -> Panel:
    """The picture itself, at its own resolution."""
    image = picture(context)
    values = {"index": context.index, "split": context.split}
    if context.label is None:
        alt = message("Picture {index} of “{split}”, unlabelled.", **values)
    else:
        alt = message(
            "Picture {index} of “{split}”, true class {name}.",
            **values,
            name=class_name(context, context.label),
        )
    return Panel(
        "picture",
        "picture",
        message("Picture"),
        alt,
        image.shape[1],
        image.shape[0],
        png.encode(image),
    )


def picture(context: Context) -> NDArray[np.uint8]:
    """The picture that the figure is about (H, W, C)."""
    if context.image is None:
        raise ValueError("this figure is about a picture, and the context has none")
    return context.image


def place_of(evidence: NDArray[np.floating[Any]]) -> Message:
    """In which ninth of the picture ``evidence`` (H, W) ≥ 0 is strongest on average."""
    means = [
        [float(part.mean()) if part.size else 0.0 for part in np.array_split(band, 3, axis=1)]
        for band in np.array_split(evidence, 3, axis=0)
    ]
    row, column = divmod(int(np.argmax(means)), 3)
    return _PLACES[row][column]


def shape_of(shape: tuple[int, ...]) -> str:
    """A layer's output shape as people write it: 64×48×48."""
    return "×".join(map(str, shape))


def _number(result: Result, name: str) -> float:
    value = result.numbers[name]
    if not isinstance(value, int | float):
        raise TypeError(f"the result has no number {name!r}")
    return value
