"""matplotlib's SVG made fit for a page: no ids, no style sheet, the reader's font and colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

SVG = "http://www.w3.org/2000/svg"
INK = "#010203"
"""What is drawn in this colour takes the page's text colour, also in a dark theme."""

_DROPPED = {"font", "font-family", "font-style", "font-weight"}


def tidy(source: str) -> str:
    """``source`` as one <svg> element to be put inside a page.

    matplotlib's own style sheet would apply to the whole page, its ids would clash with those of
    the next chart, and a family named in it would beat the page's fonts, so all three go. Raises
    ValueError if the drawing needs an id (a clip path, a marker).
    """
    source = re.sub(r"^.*?(?=<svg)", "", source, flags=re.DOTALL)
    root = Xml.fromstring(source)  # noqa: S314 - written by matplotlib just now
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] in (
                "metadata",
                "defs",
            ):
                parent.remove(child)
    for element in root.iter():
        element.attrib.pop("id", None)
        for name, value in _declarations(element.attrib.pop("style", "")):
            element.attrib[name] = value
        for name, value in element.attrib.items():
            if value.startswith(("#", "url(#")) and name != "fill" and name != "stroke":
                raise ValueError(f"the chart refers to {value}, and ids are not kept")
            if value == INK:
                element.attrib[name] = "currentColor"
    _flatten(root)
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt"})
    Xml.register_namespace("", SVG)
    text = Xml.tostring(root, encoding="unicode", short_empty_elements=True)
    return re.sub(r">\s+<", "><", text) + "\n"


def _flatten(parent: Xml.Element, *, stroked: bool = False) -> None:
    """Leaves out groups that say nothing and paths that paint nothing: a page is set sooner."""
    stroked = stroked or "stroke" in parent.attrib
    kept: list[Xml.Element] = []
    for child in parent:
        _flatten(child, stroked=stroked)
        if child.tag == f"{{{SVG}}}g" and not child.attrib:
            kept += child
        elif stroked or child.get("fill") != "none" or "stroke" in child.attrib or len(child):
            kept.append(child)
    parent[:] = kept


def _declarations(style: str) -> list[tuple[str, str]]:
    """A style attribute as presentation attributes, which a strict page policy allows."""
    pairs = []
    for declaration in filter(None, map(str.strip, style.split(";"))):
        name, _, value = map(str.strip, declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            if size:
                pairs.append(("font-size", size[0]))
        elif name not in _DROPPED:
            pairs.append((name, value))
    return pairs
