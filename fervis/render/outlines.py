"""Outlines of a cut font, as the pages and every PDF viewer need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def quadratic(font: TTFont) -> None:
    """Turns CFF outlines into TrueType ones.

    Several PDF viewers show nothing for the CID-keyed CFF of these fonts.
    """
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import newTable

    order, drawn = font.getGlyphOrder(), font.getGlyphSet()
    glyphs: dict[str, Any] = {}
    for name in order:
        pen = TTGlyphPen(None)
        drawn[name].draw(Cu2QuPen(pen, max_err=1.0, reverse_direction=True))
        glyphs[name] = pen.glyph()
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
        glyph = glyphs[name]
        glyph.recalcBounds(table)
        advance = font["hmtx"].metrics[name][0]
        font["hmtx"].metrics[name] = (advance, getattr(glyph, "xMin", 0))
