"""Superpixels: cutting a picture into parts, hiding them, showing which ones matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fervis.analyses._contract import Context, Result
from fervis.analyses._words import picture, place_of
from fervis.draw import overlay, png
from fervis.draw.figure import Panel
from fervis.errors import AnalysisError
from fervis.text import Message, Text, message

GREEN, DARK_GREEN = (0, 158, 90), (0, 92, 46)
RED, DARK_RED = (214, 40, 40), (122, 0, 16)
SHARPNESS = 192
"""Pixels that the overlay has at least, so that its lines are thin beside the picture's pixels."""


def segments_of(image: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """About ``count`` superpixels of ``image`` (H, W, C) by SLIC: (H, W), labels 0…K-1.

    The low compactness lets them follow the picture; at the usual 10 a small gray picture is cut
    into a chequered board (Achanta et al. 2012, eq. 3). A picture of mere noise falls apart into
    crumbs that SLIC joins to a single part, so there compactness grows until there are two.
    Raises AnalysisError if there never are.
    """
    from skimage.segmentation import slic

    colour = image.shape[2] == 3
    scaled = (image if colour else image[:, :, 0]) / 255.0
    for compactness in (0.1, 1.0, 10.0):
        labels = slic(
            scaled,
            n_segments=count,
            compactness=compactness,
            start_label=0,
            convert2lab=False,
            channel_axis=-1 if colour else None,
        )
        names, contiguous = np.unique(labels, return_inverse=True)
        if len(names) > 1:
            return np.asarray(contiguous.reshape(labels.shape), np.int64)
    raise AnalysisError("this picture cannot be cut into superpixels; ask for more `segments`")


def without_detail(image: NDArray[np.uint8], segments: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``image`` (H, W, C) with every segment filled with its own mean, rounded down as lime does.

    This is what a hidden segment looks like.
    """
    filled = np.empty_like(image)
    for segment in range(int(segments.max()) + 1):
        inside = segments == segment
        filled[inside] = image[inside].mean(axis=0)
    return filled


def panels(
    result: Result, most: int, target: Text, context: Context
) -> tuple[tuple[Panel, Panel], tuple[Message, ...]]:
    """Superpixels for and against, then only those for; and what has to be said about them.

    Those for the class are green with a solid outline, those against it red with stripes, so that
    colour is not the only difference.
    """
    weights, segments = np.asarray(result.arrays["weights"]), np.asarray(result.arrays["segments"])
    largest = np.argsort(-np.abs(weights), kind="stable")[:most]
    speaking = np.argsort(-weights, kind="stable")[:most]
    supports = [int(k) for k in largest if weights[k] > 0]
    opposes = [int(k) for k in largest if weights[k] < 0]
    only = [int(k) for k in speaking if weights[k] > 0]
    both = _marked(picture(context), segments, supports, opposes)
    alone = overlay.cover(picture(context), ~np.isin(segments, only))
    height, width = segments.shape
    evidence = np.maximum(weights, 0)[segments]
    words = {
        "target": target,
        "supports": len(supports),
        "opposes": len(opposes),
        "place": place_of(evidence),
        "place_against": place_of(np.maximum(-weights, 0)[segments]),
    }
    if supports and opposes:
        alt = message(
            "Superpixels that matter for {target}: {supports} for it, most strongly {place}; "
            "{opposes} against it, most strongly {place_against}.",
            **words,
        )
    elif supports:
        alt = message(
            "Superpixels that matter for {target}: {supports} for it, most strongly {place}; none "
            "of the largest against it.",
            **words,
        )
    else:
        alt = message(
            "Superpixels that matter for {target}: none of the largest speaks for it.", **words
        )
    return (
        (
            Panel(
                "weights",
                "overlay",
                message("For and against"),
                alt,
                both.shape[1],
                both.shape[0],
                png.encode(both),
            ),
            Panel(
                "support",
                "overlay",
                message("Supporting parts only"),
                message(
                    "Only the {count} superpixels that speak most for {target}, {share} of "
                    "the picture; the rest is covered.",
                    count=len(only),
                    target=target,
                    share=f"{np.isin(segments, only).mean():.0%}",
                ),
                width,
                height,
                png.encode(alone),
            ),
        ),
        _remarks(result, only),
    )


def _marked(
    image: NDArray[np.uint8], segments: NDArray[np.int64], supports: list[int], opposes: list[int]
) -> NDArray[np.uint8]:
    factor = max(1, -(-SHARPNESS // max(segments.shape)))
    large = overlay.enlarge(segments, factor)
    shown = overlay.enlarge(overlay.rgb(image), factor)
    good, bad = np.isin(large, supports), np.isin(large, opposes)
    shown = overlay.tint(shown, good, GREEN, 0.35)
    shown = overlay.tint(shown, overlay.borders(large, good), DARK_GREEN, 1.0)
    shown = overlay.tint(shown, bad, RED, 0.35)
    return overlay.tint(shown, bad & overlay.stripes(large.shape, 6), DARK_RED, 0.85)


def _remarks(result: Result, only: list[int]) -> tuple[Message, ...]:
    remarks = []
    r2 = float(result.numbers["r2"] or 0.0)
    if r2 < 0.5:
        remarks.append(
            message(
                "The linear model follows the network only loosely here (local R² "
                "{r2}): read the weights with care.",
                r2=f"{r2:.2f}",
            )
        )
    if not only:
        remarks.append(message("No superpixel speaks for this class."))
    return tuple(remarks)
