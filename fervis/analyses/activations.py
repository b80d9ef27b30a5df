"""Filter outputs: what each channel of a layer makes of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fervis.analyses._batches import in_company, network
from fervis.analyses._channels import ChannelOptions, chosen, span, tile
from fervis.analyses._contract import Context, Images, PictureName, Result, Scope, Subjects
from fervis.analyses._words import number, place_of, shape_of
from fervis.draw.figure import Fact, Figure
from fervis.errors import AnalysisError
from fervis.text import Message, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "image"
VERSION = 2
TITLE = message("Filter outputs")
ANSWERS = message("Where in this picture does each filter of a layer respond?")
FORMULA = r"A^c_{ij}(x)"
LIMITS = message(
    "Every map is stretched to its own range, so a weak map looks as bright as a strong one: "
    "compare the numbers. A response does not say that the class depends on it."
)
PAPER = (
    "Zeiler, Fergus: Visualizing and Understanding Convolutional Networks (2013), "
    "https://arxiv.org/abs/1311.2901"
)


class Options(ChannelOptions):
    """Options of ``activations``."""

    image: PictureName = Field(description="the one picture, by its name in `images:`")

    def selection(self) -> Images:
        """The one picture."""
        return [self.image]


def compute(
    classifier: Classifier | None, subjects: Subjects, options: Options
) -> Sequence[Result]:
    """The channel maps of one layer for each picture.

    Arrays: ``maps`` (n, h, w) raw, ``channels`` (n,). Raises AnalysisError for a layer without
    maps or a channel that it does not have.
    """
    import torch

    net = network(classifier)
    results: list[Result] = []
    for part in in_company(len(subjects.images)):
        with torch.no_grad():
            output = net.forward_to(options.layer, net.to_input(subjects.images[part]))
        if output.ndim != 4:
            raise AnalysisError(
                f"layer {options.layer!r} has no maps (its output is "
                f"{shape_of(tuple(output.shape[1:]))}); name a convolution, its "
                "activation or a pooling layer"
            )
        channels = chosen(options, output.shape[1])
        maps = output[:, channels].float().cpu().numpy()
        results += [
            Result({"maps": each, "channels": np.array(channels)}, {"available": output.shape[1]})
            for each in maps
        ]
    return results[: len(subjects.images)]


def draw(result: Result, options: Options, context: Context) -> Figure:
    """One numbered tile a channel, each stretched from its own minimum to its own maximum."""
    maps = np.asarray(result.arrays["maps"])
    channels = [int(channel) for channel in np.asarray(result.arrays["channels"])]
    height, width = maps.shape[1:]
    flat = [channel for channel, each in zip(channels, maps, strict=True) if np.ptp(each) == 0]
    shown = {
        "channels": span(channels),
        "layer": options.layer,
        "index": context.index,
        "available": int(result.numbers["available"] or 0),
        "resolution": f"{width}×{height}",
    }
    return Figure(
        panels=tuple(
            tile(channel, each, (height, width), _alt(channel, each))
            for channel, each in zip(channels, maps, strict=True)
        ),
        caption=message(
            "Outputs of filters {channels} of layer {layer} (it has {available}) for picture "
            "{index}, {resolution} cells each. Every map is stretched from its own minimum (black) "
            "to its own maximum (white).",
            **shown,
        ),
        facts=(
            Fact(message("Method"), message("output of the layer, a map a channel")),
            Fact(message("Layer"), options.layer),
            Fact(message("Resolution"), str(shown["resolution"])),
            Fact(
                message("Scaling"),
                message(
                    "minimum to maximum of each map; all from {low} to {high}",
                    low=number(float(maps.min())),
                    high=number(float(maps.max())),
                ),
            ),
        ),
        remarks=(
            message(
                "These filters give the same value everywhere in this picture and are shown "
                "black: {channels}.",
                channels=span(flat),
            ),
        )
        if flat
        else (),
        data={**result.arrays, "minimum": maps.min(axis=(1, 2)), "maximum": maps.max(axis=(1, 2))},
    )


def _alt(channel: int, values: np.ndarray) -> Message:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return message(
            "Output of filter {channel}: {low} everywhere.", channel=channel, low=number(low)
        )
    return message(
        "Output of filter {channel}: from {low} to {high}, strongest {place}.",
        channel=channel,
        low=number(low),
        high=number(high),
        place=place_of(values - low),
    )
