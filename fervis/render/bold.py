"""A bolder face for what is strong: the fonts at hand come in one weight."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

STRENGTH = 11
"""Units of 1000 by which every outline grows to each side: a semi-bold."""

Point = tuple[float, float]


def embolden(font: TTFont, strength: float = STRENGTH) -> None:
    """Moves every outline of a TrueType font outwards by ``strength`` units per 1000."""
    distance = strength * font["head"].unitsPerEm / 1000
    table = font["glyf"]
    for name in font.getGlyphOrder():
        glyph = table[name]
        if glyph.numberOfContours <= 0:
            continue
        start = 0
        for end in glyph.endPtsOfContours:
            points = [glyph.coordinates[k] for k in range(start, end + 1)]
            for offset, (x, y) in enumerate(grown(points, distance)):
                glyph.coordinates[start + offset] = (round(x), round(y))
            start = end + 1
        glyph.recalcBounds(table)
        advance, _ = font["hmtx"].metrics[name]
        font["hmtx"].metrics[name] = (advance, glyph.xMin)


def grown(contour: list[Any], distance: float) -> list[Point]:
    """``contour`` with each point moved along the normal between its two sides.

    TrueType contours run clockwise around ink, so that ink lies to the right and outwards is to
    the left; holes run the other way and shrink by the same rule. A sharp corner moves no more
    than twice ``distance``.
    """
    count, moved = len(contour), []
    for place, (x, y) in enumerate(contour):
        before = _direction(contour, place, -1, count)
        after = _direction(contour, place, 1, count)
        if before is None or after is None:
            moved.append((x, y))
            continue
        ux, uy = -before[0], -before[1]  # towards the point
        vx, vy = after  # away from it
        nx, ny = -(uy + vy), ux + vx  # left of both
        length = hypot(nx, ny)
        if length < 1e-6:
            moved.append((x, y))
            continue
        reach = distance * min(2 / length, 2.0)
        moved.append((x + nx / length * reach, y + ny / length * reach))
    return moved


def _direction(contour: list[Any], place: int, step: int, count: int) -> Point | None:
    """Unit vector from a point to the next one, in either direction, that lies elsewhere."""
    x, y = contour[place]
    for distance in range(1, count):
        px, py = contour[(place + step * distance) % count]
        length = hypot(px - x, py - y)
        if length > 0:
            return (px - x) / length, (py - y) / length
    return None
