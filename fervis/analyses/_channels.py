"""Which channels of a layer are shown, and the numbered tiles that show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses._contract import Options
from fervis.draw import colour, png
from fervis.draw.figure import Panel
from fervis.errors import AnalysisError
from fervis.text import Message, message


class ChannelOptions(Options):
    """Options of an analysis that shows channels of a layer side by side."""

    layer: str = Field(description="the layer, such as `conv2` or `conv2.relu`")
    first: int = Field(32, ge=1, le=4096, description="how many channels are shown, from 0 on")
    channels: list[Annotated[int, Field(ge=0)]] | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="the channels by number, instead of the first ones",
    )

    def layers(self) -> tuple[str, ...]:
        """The one layer."""
        return (self.layer,)

    def numbers_decided_by(self) -> dict[str, object]:
        """All but the picture's name; ``first`` only where it decides."""
        chosen = self.model_dump(mode="json", exclude={"image"})
        if self.channels is not None:
            del chosen["first"]
        return chosen


def chosen(options: ChannelOptions, count: int) -> list[int]:
    """The channels to show of a layer that has ``count``. Raises AnalysisError beyond them."""
    if options.channels is None:
        return list(range(min(options.first, count)))
    beyond = [channel for channel in options.channels if channel >= count]
    if beyond:
        raise AnalysisError(
            f"layer {options.layer!r} has channels 0 to {count - 1}, not "
            + ", ".join(map(str, beyond))
        )
    return list(options.channels)


def tile(
    channel: int, pixels: NDArray[np.floating[Any]] | None, size: tuple[int, int], alt: Message
) -> Panel:
    """One numbered tile: ``pixels`` (H, W) or (H, W, 3), stretched from minimum to maximum.

    Without pixels it is gray, ``size`` high and wide, crossed out, and called dead.
    """
    height, width = size
    levels = _crossed(size) if pixels is None else colour.gray(colour.by_range(pixels))
    return Panel(
        str(channel),
        "tile",
        message("{channel}", channel=channel)
        if pixels is not None
        else message("{channel} dead", channel=channel),
        alt,
        width,
        height,
        png.encode(levels),
    )


def _crossed(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A gray field with both diagonals drawn: nothing to see here, and not by accident."""
    height, width = size
    levels = np.full(size, 128, np.uint8)
    across = np.linspace(0, 1, max(height, width) * 2)
    rows = np.round(across * (height - 1)).astype(int)
    for columns in (across, 1 - across):
        levels[rows, np.round(columns * (width - 1)).astype(int)] = 200
    return levels


def span(channels: Sequence[int]) -> str:
    """The channels as people write them: "0–31", "3, 7, 12"."""
    if len(channels) > 2 and list(channels) == list(range(channels[0], channels[-1] + 1)):
        return f"{channels[0]}–{channels[-1]}"
    return ", ".join(map(str, channels))
