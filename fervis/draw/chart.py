"""Charts: the only pictures that need axes, hence the only ones that need matplotlib."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fervis.draw.svg import INK, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 560
"""Pixels: what an A4 page leaves between its margins, so that 1 px in print is 1 px."""

CURVES_WIDTH = 400
"""Pixels: two of them stand side by side on paper and on a laptop, one on a phone."""

_POINTS = 0.75  # points in a CSS pixel
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fervis",
    "text.parse_math": False,  # a class may be called "$x$"
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
COLOURS = ("#1f5fa8", "#c2571a", "#2e7d4f", "#8a3f8f")
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "solid",
    (0, (4, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
)


class Canvas:
    """One pair of axes in ``height`` pixels and what becomes of it."""

    def __init__(self, axes: Axes, height: int) -> None:
        self.axes, self.height = axes, height
        self.svg = ""


@contextmanager
def _canvas(
    height: int, margins: tuple[float, float, float, float], width: int = WIDTH
) -> Iterator[Canvas]:
    """Axes inside ``margins`` (left, right, top, bottom, in pixels); the SVG once it is left.

    The place of the axes is fixed and never fitted to the texts: they change with the language.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), matplotlib.rc_context(_STYLE):
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")  # the page has the fonts
        figure = Figure(figsize=(width / 96, height / 96))
        left, right, top, bottom = margins
        axes = figure.add_axes(
            (
                left / width,
                bottom / height,
                (width - left - right) / width,
                (height - top - bottom) / height,
            )
        )
        canvas = Canvas(axes, height)
        yield canvas
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    canvas.svg = tidy(buffer.getvalue())


def heatmap(
    shares: NDArray[np.floating[Any]],
    notes: Sequence[Sequence[Sequence[str]]],
    names: Sequence[str],
    *,
    rows: str,
    columns: str,
) -> tuple[str, int]:
    """A square matrix as a heat map with a note in every cell: its SVG and height in pixels.

    shares (K, K) in 0…1, NaN where there is nothing to show; ``notes`` K × K cells of at most two
    lines; ``names`` label both axes, ``rows`` and ``columns`` are the axes' titles. Beyond 20
    classes the cells are too small for notes.
    """
    import seaborn

    count = len(names)
    slanted = count > 8
    left, right, top, bottom = 96, 8, 8, 104 if slanted else 46
    width = WIDTH - left - right
    inner = round(width * (0.72 if count <= 8 else 1.0))
    with _canvas(top + inner + bottom, (left, right, top, bottom)) as canvas:
        axes = canvas.axes
        seaborn.heatmap(
            shares,
            vmin=0.0,
            vmax=1.0,
            cmap="Blues",
            cbar=False,
            ax=axes,
            linewidths=0.5,
            linecolor="#ffffff",
            clip_on=False,
            xticklabels=list(names),
            yticklabels=list(names),
        )
        if count <= 20:
            for row, column in np.ndindex(shares.shape):
                _note(
                    axes,
                    row,
                    column,
                    float(shares[row, column]),
                    notes[row][column],
                    size=9 if count <= 8 else 5.5,
                )
        axes.tick_params(left=False, bottom=False, labelsize=9 if count <= 12 else 6)
        for label in axes.get_xticklabels():
            label.set(
                rotation=40 if slanted else 0,
                rotation_mode="anchor",
                ha="right" if slanted else "center",
            )
        for label in axes.get_yticklabels():
            label.set(rotation=0, rotation_mode="anchor", va="center")
        axes.set_xlabel(columns)
        axes.set_ylabel(rows, rotation_mode="anchor")
        axes.xaxis.set_label_coords(0.5, -(bottom - 14) / inner)
        axes.yaxis.set_label_coords(-(left - 12) / width, 0.5)
    return canvas.svg, canvas.height


def _note(
    axes: Axes, row: int, column: int, share: float, lines: Sequence[str], size: float
) -> None:
    """One text a line, so that each stays centred in whatever font the page has."""
    colour = INK if np.isnan(share) else "#ffffff" if share > 0.68 else "#1c2733"
    for place, line in enumerate(lines):
        shift = 0.0 if len(lines) == 1 else (-0.17, 0.21)[place]
        axes.text(
            column + 0.5,
            row + 0.5 + shift,
            line,
            ha="center",
            va="center",
            color=colour,
            fontsize=size if place == 0 else size * 0.85,
        )


def curves(
    across: NDArray[np.float64],
    lines: Mapping[str, NDArray[np.float64]],
    *,
    x_title: str,
    y_title: str,
    unit_range: bool = False,
) -> tuple[str, int]:
    """Lines over ``across`` (N,), named above: SVG of CURVES_WIDTH and its height in pixels.

    Colour and dash both tell the lines apart. ``unit_range`` fixes the y axis to 0…1. NaN values
    leave gaps.
    """
    from matplotlib.ticker import MaxNLocator

    names = 28 * -(-len(lines) // 3)  # the room for the lines' names
    with _canvas(196 + names, (50, 12, 6 + names, 40), CURVES_WIDTH) as canvas:
        axes = canvas.axes
        for place, (name, values) in enumerate(lines.items()):
            axes.plot(
                across,
                values,
                label=name,
                linewidth=1.5,
                clip_on=False,
                color=COLOURS[place % 4],
                linestyle=DASHES[place % 4],
            )
        if unit_range:
            axes.set_ylim(0, 1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.grid(True, linewidth=0.4, color="#b9c0c8", clip_on=False)
        axes.set_axisbelow(True)
        axes.tick_params(left=False, bottom=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel(x_title)
        axes.set_ylabel(y_title, rotation_mode="anchor")
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=3,
            frameon=False,
            handlelength=2.2,
            columnspacing=2.4,
            fontsize=9,
        )
    return canvas.svg, canvas.height
