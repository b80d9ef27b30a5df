"""Outlines of a cut font, as the pages and every PDF viewer need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

NARROW = "·×±"
"""Marks that the Chinese fonts draw to fill a square, which tears 48×48 apart."""
_SMALLER, _SIDE = 0.74, 0.07  # what becomes of such a mark, and the em it keeps on either side


def narrow(font: TTFont) -> None:
    """Draws the marks in NARROW as large as digits, with little room on either side."""
    table, metrics, known = font["glyf"], font["hmtx"].metrics, font.getBestCmap()
    side = round(_SIDE * font["head"].unitsPerEm)
    for name in {known[ord(mark)] for mark in NARROW if ord(mark) in known}:
        glyph = table[name]
        middle = (glyph.yMin + glyph.yMax) / 2
        glyph.coordinates.translate((-glyph.xMin, -middle))
        glyph.coordinates.scale((_SMALLER, _SMALLER))
        glyph.coordinates.translate((side, middle))
        glyph.coordinates.toInt()
        glyph.recalcBounds(table)
        metrics[name] = (glyph.xMax + side, glyph.xMin)


def quadratic(font: TTFont, known: Mapping[str, bytes]) -> dict[str, bytes]:
    """Turns CFF outlines into TrueType ones, and returns those by the name of their glyph.

    Several PDF viewers show nothing for the CID-keyed CFF of these fonts. ``known`` are outlines
    that were turned before: in every cut of one font a glyph keeps its name.
    """
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import newTable
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    order, drawn = font.getGlyphOrder(), font.getGlyphSet()
    outlines: dict[str, bytes] = {}
    for name in order:
        if name in known:
            outlines[name] = known[name]
            continue
        pen = TTGlyphPen(None)
        drawn[name].draw(Cu2QuPen(pen, max_err=1.0, reverse_direction=True))
        outlines[name] = pen.glyph().compile(None)
    glyphs = {name: Glyph(outline) for name, outline in outlines.items()}
    del font["CFF "]
    font["loca"] = newTable("loca")
    font["glyf"] = table = newTable("glyf")
    table.glyphOrder, table.glyphs = order, glyphs
    font["maxp"].tableVersion = 0x00010000
    for field, value in (
        ("maxZones", 1),
        ("maxTwilightPoints", 0),
        ("maxStorage", 0),
        ("maxFunctionDefs", 0),
        ("maxInstructionDefs", 0),
        ("maxStackElements", 0),
        ("maxSizeOfInstructions", 0),
        ("maxComponentElements", 0),
        ("maxPoints", 0),
        ("maxContours", 0),
        ("maxCompositePoints", 0),
        ("maxCompositeContours", 0),
        ("maxComponentDepth", 0),
    ):
        setattr(font["maxp"], field, value)
    font["head"].glyphDataFormat = 0
    font["post"].formatType = 3.0
    font.sfntVersion = "\000\001\000\000"
    for name in order:
        advance = font["hmtx"].metrics[name][0]
        font["hmtx"].metrics[name] = (advance, _left(outlines[name]))
    return outlines


def _left(outline: bytes) -> int:
    """xMin, the second of the 16-bit numbers that an outline begins with; 0 of an empty one."""
    return int.from_bytes(outline[2:4], "big", signed=True)
