"""Filters: the pictures to which single channels of a layer respond most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses import _ascent
from fervis.analyses._batches import batches, network
from fervis.analyses._channels import ChannelOptions, chosen, span, tile
from fervis.analyses._contract import Context, Result, Scope, Subjects
from fervis.analyses._words import number
from fervis.draw.figure import Fact, Figure, Table
from fervis.text import Message, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "network"
VERSION = 3
TITLE = message("Filters by gradient ascent")
ANSWERS = message("To what picture does each filter of a layer respond most?")
FORMULA = (
    r"x \leftarrow x + \eta \frac{g}{\operatorname{rms}(g) + \varepsilon}, \qquad "
    r"g = \frac{\partial}{\partial x} \frac{1}{HW} \sum_{i,j} A^c_{ij}(x)"
)
LIMITS = message(
    "Such a picture is an extreme that no camera would take; it shows what a filter likes, not "
    "what it is used for. Another start or step may lead to another picture."
)
PAPER = (
    "Erhan, Bengio, Courville, Vincent: Visualizing Higher-Layer Features of a Deep Network "
    "(2009), https://www.researchgate.net/publication/265022827"
)
NOISE = 0.1
"""Standard deviation of the start around middle gray, in the network's input space."""


class Options(ChannelOptions):
    """Options of ``filters``."""

    steps: int = Field(64, ge=1, le=10_000, description="steps uphill")
    rate: float = Field(
        1.0, gt=0, le=1000, description="size of a step: root mean square change of the input"
    )
    jitter: int = Field(
        0, ge=0, le=64, description="pixels by which the picture is shifted at random each step"
    )
    total_variation: float = Field(
        0.0,
        ge=0,
        le=10,
        description="how strongly differences between neighbours are pulled down, "
        "as a share of the step uphill",
    )
    blur: float = Field(
        0.0, ge=0, le=10, description="Gaussian blur after each step, standard deviation in pixels"
    )


def compute(
    classifier: Classifier | None, subjects: Subjects, options: Options
) -> Sequence[Result]:
    """One picture for each channel, by gradient ascent (Erhan et al. 2009, section 3).

    Arrays: ``pictures`` (n, C, H, W) in the network's input space, ``channels``, ``start`` and
    ``end`` (n,) the objectives, ``rates`` (n,) the steps they were had with, ``rough`` (n,) true
    where bfloat16 showed the way, ``dead`` (n,) true where nothing raised it. All channels start
    from the same noise, so a channel's picture does not depend on the others asked for.
    """
    import torch

    net, (rng,) = network(classifier), subjects.rngs
    channels = chosen(options, net.layer(options.layer).shape[0])
    noise = rng.normal(0.0, NOISE, net.input_shape).astype(np.float32)
    gray = np.full((1, *net.input_shape[1:], net.input_shape[0]), 128, np.uint8)
    start = net.to_input(gray) + torch.from_numpy(noise).to(net.device)
    shifts = [
        (int(down), int(right))
        for down, right in rng.integers(-options.jitter, options.jitter + 1, (options.steps, 2))
    ]
    climb = _ascent.Climb(
        options.steps,
        options.rate,
        shifts if options.jitter else (),
        options.total_variation,
        options.blur,
    )
    pictures, before, after, rates, rough = [], [], [], [], []
    for part in batches(len(channels)):
        wanted = torch.tensor(channels[part], device=net.device)
        risen = _ascent.rise(net, options.layer, wanted, start, climb)
        pictures.append(risen.pictures)
        before.append(risen.start)
        after.append(risen.end)
        rates.append(risen.rates)
        rough.append(risen.rough)
    low, high, used = (torch.cat(values).float().cpu().numpy() for values in (before, after, rates))
    return [
        Result(
            {
                "pictures": torch.cat(pictures).float().cpu().numpy(),
                "channels": np.array(channels),
                "start": low,
                "end": high,
                "rates": used,
                "rough": torch.cat(rough).cpu().numpy(),
                "dead": ~(high > low),
            },
            {"available": net.layer(options.layer).shape[0], "steps": options.steps},
        )
    ]


def draw(result: Result, options: Options, context: Context) -> Figure:
    """One numbered tile a channel, stretched from minimum to maximum; dead ones are flat gray."""
    pictures = np.moveaxis(np.asarray(result.arrays["pictures"]), 1, -1)
    if pictures.shape[-1] != 3:
        pictures = pictures[..., 0]
    channels = [int(channel) for channel in np.asarray(result.arrays["channels"])]
    start, end = np.asarray(result.arrays["start"]), np.asarray(result.arrays["end"])
    gone = np.asarray(result.arrays["dead"], bool)
    dead = [channel for channel, is_dead in zip(channels, gone, strict=True) if is_dead]
    size = (pictures.shape[1], pictures.shape[2])
    how = _restraint(options)
    shown = {
        "channels": span(channels),
        "layer": options.layer,
        "steps": options.steps,
        "available": int(result.numbers["available"] or 0),
        "rate": f"{options.rate:g}",
        "restraint": how,
    }
    return Figure(
        panels=tuple(
            tile(
                channel,
                None if gone[i] else pictures[i],
                size,
                _alt(channel, float(start[i]), float(end[i]), bool(gone[i])),
            )
            for i, channel in enumerate(channels)
        ),
        caption=message(
            "To what filters {channels} of layer {layer} (it has {available}) respond most: "
            "{steps} steps of gradient ascent on the mean of each channel, from gray noise, "
            "{restraint}. Every picture is stretched from its own minimum (black) to its own "
            "maximum (white).",
            **shown,
        ),
        facts=(
            Fact(message("Method"), message("gradient ascent, step {rate} × g / rms(g)", **shown)),
            Fact(message("Layer"), options.layer),
            Fact(message("Steps"), options.steps),
            Fact(message("Restraint"), how),
            Fact(message("Resolution"), f"{size[1]}×{size[0]}"),
            Fact(message("Scaling"), message("minimum to maximum of each picture")),
            *_precision(np.asarray(result.arrays.get("rough", ()), bool)),
            Fact(message("Seed"), context.seed),
        ),
        tables=(
            Table(
                message("Mean of each channel at the start and at the end of the ascent."),
                (message("Filter"), message("Start"), message("End")),
                tuple(
                    (
                        str(channel),
                        number(float(start[i])),
                        message("dead") if gone[i] else number(float(end[i])),
                    )
                    for i, channel in enumerate(channels)
                ),
            ),
        ),
        remarks=(
            message(
                "Dead filters: nothing raised the mean of {channels}, so there is no "
                "picture to show.",
                channels=span(dead),
            ),
        )
        if dead
        else (),
        data=dict(result.arrays),
    )


def _restraint(options: Options) -> Message:
    """What keeps the pictures natural, in words; by default nothing."""
    used = [
        (options.jitter, message("jitter of {value} pixels", value=options.jitter)),
        (
            options.total_variation,
            message("total variation {value}", value=f"{options.total_variation:g}"),
        ),
        (options.blur, message("blur of {value} pixels", value=f"{options.blur:g}")),
    ]
    words = [word for value, word in used if value]
    if not words:
        return message("without any restraint")
    joined = words[0]
    for word in words[1:]:
        joined = message("{one}, {other}", one=joined, other=word)
    return joined


def _precision(rough: NDArray[np.bool_]) -> tuple[Fact, ...]:
    if not rough.any():
        return ()
    words = message(
        "bfloat16 on the way uphill ({count} of {all} filters), float32 for every value given",
        count=int(rough.sum()),
        all=len(rough),
    )
    return (Fact(message("Arithmetic"), words),)


def _alt(channel: int, start: float, end: float, dead: bool) -> Message:
    if dead:
        return message("Filter {channel} is dead: no gradient, so no picture.", channel=channel)
    return message(
        "Picture that drives filter {channel} from {start} to {end}.",
        channel=channel,
        start=number(start),
        end=number(end),
    )
