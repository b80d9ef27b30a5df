"""MathML that a library made from a stranger's LaTeX: is it MathML alone, and soon drawn?"""

from __future__ import annotations

import re
from xml.etree import ElementTree

_SPACE = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot", "mstyle",
    "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mpadded",
    "mphantom", "menclose", "mmultiscripts", "mprescripts", "none",
}  # fmt: skip
_ATTRIBUTE = re.compile(r"(?!on|href$|src$|style$|class$|id$)[a-z]+", re.IGNORECASE)
_ADDRESS = re.compile(r"[:\\]|url\s*\(", re.IGNORECASE)
_DOUBLING = {"mrow", "mtd"}  # ziamath 0.13 lays out what is in them twice, at every level
_COSTLY = 8000  # leaves laid out; the longest formula has 4,000, half of them twice


class UnfitError(ValueError):
    """What is wrong with the MathML."""


def require_plain(mathml: str) -> ElementTree.Element:
    """The tree of ``mathml``. Raises UnfitError for links, scripts, styles and all other markup.

    A library may pass on what stands in its LaTeX: \\href, \\class, or a tag within \\tag.
    """
    if "<!" in mathml or "<?" in mathml:
        raise UnfitError("markup in a formula")
    try:
        root = ElementTree.fromstring(mathml)  # noqa: S314 - without <! there are no entities
    except ElementTree.ParseError as error:
        raise UnfitError(f"markup in a formula ({error})") from error
    for element in root.iter():
        if element.tag.removeprefix(_SPACE) not in _ELEMENTS:
            raise UnfitError("markup in a formula")
        for name, value in element.attrib.items():
            if not _ATTRIBUTE.fullmatch(name) or _ADDRESS.search(value):
                raise UnfitError(f"{name}={value!r} in a formula")
    return root


def require_shallow(root: ElementTree.Element) -> None:
    """Raises UnfitError where drawing would take minutes, or for ever, for nested groups."""
    cost, waiting = 0, [(root, 1)]
    while waiting:
        element, times = waiting.pop()
        if element.tag.removeprefix(_SPACE) in _DOUBLING:
            times *= 2
        cost += times if len(element) == 0 else 0
        if cost > _COSTLY:
            raise UnfitError("nested too deeply, or too long")
        waiting.extend((child, times) for child in element)
