"""Keeping text text: what no page may contain, wherever it came from."""

from __future__ import annotations

import re

from markupsafe import Markup

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufff9\ufffa\ufffb\u00ad"
_KEPT = "\t\n"

SENTINELS = "\ue000\ue001"
"""Marks that fervis itself puts around what is filled in after sanitising."""


def _forbidden() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0xFDD0, 0xFDF0)):
        if chr(code) not in _KEPT:
            table[code] = None
    table.update(dict.fromkeys(map(ord, _BIDI + _INVISIBLE + SENTINELS)))
    table.update(dict.fromkeys(range(0xE0000, 0xE0080)))  # tag characters
    table.update(dict.fromkeys((0xFFFE, 0xFFFF)))
    return table


_TABLE = _forbidden()
_SURROGATES = re.compile("[\ud800-\udfff]")


def neutral(text: str) -> str:
    """``text`` without control characters, direction overrides and invisible characters.

    They could hide or reorder what a reader sees ("gpj.exe" for "exe.jpg"); everything that has a
    shape stays. Markup stays markup.
    """
    # None of these characters is printable, and most texts have none: looked at much faster so.
    if text.isprintable() or _plain(text).isprintable():
        return text
    clean = _SURROGATES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_TABLE)
    return Markup(clean) if isinstance(text, Markup) else clean  # noqa: S704 - was markup before


def _plain(text: str) -> str:
    """``text`` without the characters that do not count as printable and yet are allowed."""
    for kept in _KEPT + "\u00a0\u3000":
        text = text.replace(kept, "")
    return text


def slug(text: str) -> str:
    """A file name out of any text: lower-case ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
