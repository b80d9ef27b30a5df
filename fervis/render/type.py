"""Type: the Chinese fonts that come with fervis, cut down to the characters in use."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

from fervis.render.bold import embolden
from fervis.render.keep import kept

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

VERSION = 6  # raise it whenever the same characters give other bytes
_ALWAYS = "".join(map(chr, range(0x20, 0x7F))) + "…—–·×±≤≥‘’“”「」，。、：；（）！？"
FAMILIES = {
    "sans": "Fervis Sans",
    "serif": "Fervis Serif",
    "strong": "Fervis Strong",
    "symbols": "Fervis Symbols",
}
_FEATURES = ("kern", "liga", "locl", "mark", "mkmk", "ccmp", "pwid")
_NAMES = (0, 1, 2, 3, 4, 5, 6, 13, 14)
_DROPPED = ("DSIG", "VORG", "VDMX", "hdmx", "vhea", "vmtx", "BASE", "FFTM")
NARROW = "·×±"
"""Marks that the Chinese fonts draw to fill a square, which tears 48×48 apart."""
_SMALLER, _SIDE = 0.74, 0.07  # what becomes of such a mark, and the em it keeps on either side
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_LENGTH = 8  # bytes that say where a kept pair of fonts is divided
_STRONG = re.compile(r"<strong>(.*?)</strong>", re.DOTALL)


def _source(kind: str) -> Path:
    import pylopdf_fonts_zh_tw as fonts

    if kind == "symbols":
        import matplotlib

        return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return fonts.serif_path() if kind == "serif" else fonts.sans_path()


def characters_of(pages: Iterable[str]) -> str:
    """Every character that the pages show, sorted, once."""
    found = set(_ALWAYS)
    for page in pages:
        found.update(unescape(page))
    return "".join(sorted(c for c in found if c.isprintable() or category(c) == "Zs"))


@dataclass(frozen=True)
class Type:
    """Font files of a site with the style sheet that names them, and what none of them can show.

    ``unpacked`` are the same fonts by the same names as plain TrueType, which a PDF takes sooner.
    """

    files: dict[str, bytes]
    missing: frozenset[str]
    unpacked: dict[str, bytes]

    def spelled(self, html: str) -> str:
        """``html`` with every character that has no glyph spelled out: 🤖 becomes [U+1F916].

        A browser finds such a character elsewhere on its machine; a PDF must be the same on every
        machine, and an empty box says nothing.
        """
        table: dict[int, str | None] = {ord(c): f"[U+{ord(c):04X}]" for c in self.missing}
        table.update(
            {
                ord(c): None
                for c in set(html)
                if category(c) in ("Cf", "Mn") and c in self.missing | set(_JOINERS)
            }
        )
        return html.translate(table)


def type_for(pages: Iterable[str], cache: Path | None) -> Type:
    """The fonts for all ``pages``, cut to their characters.

    Only what the Chinese fonts lack goes into the symbols. The same characters give the same
    bytes. ``cache`` keeps fonts by their set of characters.
    """
    bold: list[str] = []

    def read() -> Iterator[str]:
        for page in pages:
            bold.extend(_STRONG.findall(page))
            yield page

    wanted, strong = characters_of(read()), characters_of(bold)
    files: dict[str, bytes] = {}
    unpacked: dict[str, bytes] = {}
    rules, shown = [], set[int]()
    with ThreadPoolExecutor() as pool:  # packing needs a second each and lets others run
        asked = [strong if kind == "strong" else wanted for kind in FAMILIES]
        both = pool.map(_cached, FAMILIES, asked, [cache] * len(FAMILIES))
    for (kind, family), (plain, packed) in zip(FAMILIES.items(), both, strict=True):
        if not plain:
            continue
        path = f"fonts/{kind}.woff2"
        files[path], unpacked[path] = packed, plain
        if kind in ("sans", "symbols"):
            shown |= _codes(plain)
        rules.append(
            f"@font-face{{font-family:'{family}';src:url(../{path}) format('woff2');"
            "font-display:swap}"
        )
    files["style/fonts.css"] = "\n".join([*rules, ""]).encode()
    return Type(files, frozenset(c for c in wanted if ord(c) not in shown), unpacked)


def _codes(font: bytes) -> set[int]:
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(font), lazy=True) as opened:
        return set(opened.getBestCmap())


def _cached(kind: str, wanted: str, cache: Path | None) -> tuple[bytes, bytes]:
    def make() -> bytes:
        plain, packed = subset(kind, wanted)
        return len(plain).to_bytes(_LENGTH, "little") + plain + packed

    libraries = [version(name) for name in ("pylopdf-fonts-zh-tw", "fonttools", "uharfbuzz")]
    recipe = " ".join([str(VERSION), kind, *libraries, wanted])
    both = kept(cache, recipe, make)
    end = _LENGTH + int.from_bytes(both[:_LENGTH], "little")
    return both[_LENGTH:end], both[end:]


def subset(kind: str, wanted: str) -> tuple[bytes, bytes]:
    """The font of ``kind`` with the glyphs of ``wanted`` alone, as TrueType and as WOFF2.

    Both are empty if it has none of them.
    """
    from fontTools.ttLib import TTFont

    codes = {ord(c) for c in wanted}
    if kind == "symbols":
        codes -= _covered("sans")
    codes &= _covered(kind)
    if not codes:
        return b"", b""
    with TTFont(io.BytesIO(_cut(_source(kind), codes)), recalcTimestamp=False) as font:
        if "CFF " in font:
            quadratic(font)
        narrow(font)
        if kind == "strong":
            embolden(font)
        plain, packed = io.BytesIO(), io.BytesIO()
        font.save(plain, reorderTables=False)
        font.flavor = "woff2"
        font.save(packed, reorderTables=False)
    return plain.getvalue(), packed.getvalue()


def _covered(kind: str) -> set[int]:
    """The code points that a source has glyphs for."""
    import uharfbuzz  # type: ignore[import-untyped] # it has no types

    return set(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(_source(kind)))).unicodes)


def _cut(source: Path, codes: set[int]) -> bytes:
    """The font file with the glyphs of ``codes``, without hints and vertical setting."""
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(source)))
    wanted, flags = uharfbuzz.SubsetInput(), uharfbuzz.SubsetFlags
    wanted.unicode_set.update(codes)
    wanted.flags = flags.NO_HINTING | flags.DESUBROUTINIZE | flags.NOTDEF_OUTLINE
    wanted.layout_feature_tag_set.clear()
    wanted.layout_feature_tag_set.update(map(_tag, _FEATURES))
    wanted.name_id_set.clear()
    wanted.name_id_set.update(_NAMES)
    wanted.drop_table_tag_set.update(map(_tag, _DROPPED))
    return bytes(uharfbuzz.subset(face, wanted).blob.data)


def _tag(name: str) -> int:
    return int.from_bytes(name.encode(), "big")


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
