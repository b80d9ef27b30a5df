"""The small phrases that complaints are made of."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from itertools import islice

LONGEST_NAME = 60  # no name that people type is longer; difflib is slow on long strings


def printable(text: str, longest: int = 200) -> str:
    """``text`` on one line, shortened, with nothing in it that a terminal obeys."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else ascii(c)[1:-1] for c in text
    )


def quoted(text: str) -> str:
    """``text`` in quotes, printable and short."""
    return f"'{printable(text, LONGEST_NAME)}'"


def listed(names: Iterable[object], word: str = "or") -> str:
    """``a, b or c``; a long list is cut."""
    shown = [str(name) for name in islice(names, 25)]
    if len(shown) > 24:
        shown[23:] = ["others"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """`` (did you mean conv5?)``, or nothing where no known name is near."""
    wanted = str(name)
    if len(wanted) > LONGEST_NAME:
        return ""
    names = {str(candidate).casefold(): str(candidate) for candidate in known}
    near = difflib.get_close_matches(wanted.casefold(), names, n=1, cutoff=0.6)
    return f" (did you mean {names[near[0]]}?)" if near else ""
