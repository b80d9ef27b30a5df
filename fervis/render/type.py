"""Type: the Chinese fonts that come with fervis, cut down to the characters in use."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import json
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from unicodedata import category

from fervis.installed import version
from fervis.render.bold import embolden
from fervis.render.keep import kept
from fervis.render.outlines import narrow, quadratic
from fervis.render.seal import put_by_sealed, recall_sealed

VERSION = 8  # raise it whenever the same characters give other bytes
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
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_STRONG = re.compile(r"<strong>(.*?)</strong>", re.DOTALL)


def _source(kind: str) -> Path:
    import pylopdf_fonts_zh_tw as fonts

    if kind == "symbols":
        found = importlib.util.find_spec("matplotlib")  # imports nothing, unlike get_data_path()
        place = found.origin if found and found.origin else ""
        file = Path(place).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if not file.is_file():  # a distribution's own package may keep it elsewhere
            import matplotlib

            file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file.name
        return file
    return fonts.serif_path() if kind == "serif" else fonts.sans_path()


def characters_of(pages: Iterable[str]) -> str:
    """Every character that the pages show, sorted, once."""
    found = set(_ALWAYS)
    for page in pages:
        found.update(unescape(page))
    return "".join(sorted(c for c in found if c.isprintable() or category(c) == "Zs"))


@dataclass(frozen=True)
class Type:
    """The fonts of a site, the style sheet that names them, and what none of them can show.

    ``unpacked`` are the site's font files as plain TrueType, which a PDF takes sooner.
    """

    unpacked: dict[str, bytes]
    style: bytes
    missing: frozenset[str]

    def packed(self, cache: Path | None) -> dict[str, Future[bytes]]:
        """The same fonts by the same names as WOFF2, which takes a second for a new character.

        The work goes on in threads that a build that is stopped does not wait for.
        """
        asked = {path: Future[bytes]() for path in self.unpacked}

        def work(path: str) -> None:
            try:
                asked[path].set_result(_packed(self.unpacked[path], cache))
            except BaseException as error:
                asked[path].set_exception(error)

        for path in asked:
            threading.Thread(target=work, args=(path,), name=path, daemon=True).start()
        return asked

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
    unpacked: dict[str, bytes] = {}
    rules, shown = [], set[int]()
    for kind, family in FAMILIES.items():
        plain = _cached(kind, strong if kind == "strong" else wanted, cache)
        if not plain:
            continue
        path = f"fonts/{kind}.woff2"
        unpacked[path] = plain
        if kind in ("sans", "symbols"):
            shown |= _codes(plain, cache)
        rules.append(
            f"@font-face{{font-family:'{family}';src:url(../{path}) format('woff2');"
            "font-display:swap}"
        )
    style = "\n".join([*rules, ""]).encode()
    return Type(unpacked, style, frozenset(c for c in wanted if ord(c) not in shown))


def _codes(font: bytes, cache: Path | None) -> set[int]:
    """The code points that a font has glyphs for."""

    def read() -> bytes:
        import uharfbuzz  # type: ignore[import-untyped] # it has no types

        return json.dumps(sorted(uharfbuzz.Face(uharfbuzz.Blob(font)).unicodes)).encode()

    return set(json.loads(kept(cache, f"codes {hashlib.sha256(font).hexdigest()}", read)))


def _cached(kind: str, wanted: str, cache: Path | None) -> bytes:
    recipe = _made_by(kind, wanted)
    return kept(cache, recipe, lambda: subset(kind, wanted, cache))


def _made_by(*what: str) -> str:
    libraries = [version(name) for name in ("pylopdf-fonts-zh-tw", "fonttools", "uharfbuzz")]
    return " ".join([str(VERSION), *libraries, *what])


def _outlines(kind: str, cache: Path | None) -> dict[str, bytes]:
    """Outlines of the last font of ``kind``, so that a new character costs only itself."""
    stored = recall_sealed(cache, f"outlines/{kind}", _made_by("outlines", kind))
    return {name: b64decode(shape) for name, shape in json.loads(stored or b"{}").items()}


def _packed(plain: bytes, cache: Path | None) -> bytes:
    libraries = [version(name) for name in ("fonttools", "brotli")]
    recipe = " ".join(["woff2", f"{VERSION}", *libraries, hashlib.sha256(plain).hexdigest()])
    return kept(cache, recipe, lambda: pack(plain))


def subset(kind: str, wanted: str, cache: Path | None = None) -> bytes:
    """The font of ``kind`` with the glyphs of ``wanted`` alone, as TrueType.

    Empty if it has none of them. ``cache`` keeps the outlines of the last font of this kind.
    """
    from fontTools.ttLib import TTFont

    codes = {ord(c) for c in wanted}
    if kind == "symbols":
        codes -= _covered("sans")
    codes &= _covered(kind)
    if not codes:
        return b""
    with TTFont(io.BytesIO(_cut(_source(kind), codes)), recalcTimestamp=False) as font:
        if "CFF " in font:
            known = _outlines(kind, cache)
            outlines = quadratic(font, known)
            if not outlines.keys() <= known.keys():
                content = {name: b64encode(shape).decode() for name, shape in outlines.items()}
                recipe = _made_by("outlines", kind)
                put_by_sealed(cache, f"outlines/{kind}", recipe, json.dumps(content).encode())
        narrow(font)
        if kind == "strong":
            embolden(font)
        plain = io.BytesIO()
        font.save(plain, reorderTables=False)
    return plain.getvalue()


def pack(plain: bytes) -> bytes:
    """A TrueType font as WOFF2."""
    import brotli
    from fontTools.ttLib import TTFont, woff2

    # Its writer asks for no quality. The default, 11, takes three times as long as 10 and makes
    # a font 0.3 % smaller.
    quick = functools.partial(brotli.compress, quality=10)
    woff2.brotli = SimpleNamespace(**{**vars(brotli), "compress": quick})
    packed = io.BytesIO()
    with TTFont(io.BytesIO(plain), recalcTimestamp=False, recalcBBoxes=False) as font:
        font.flavor = "woff2"
        font.save(packed, reorderTables=False)
    return packed.getvalue()


@functools.cache
def _covered(kind: str) -> frozenset[int]:
    """The code points that a source has glyphs for."""
    import uharfbuzz

    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(_source(kind))))
    return frozenset(face.unicodes)


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
