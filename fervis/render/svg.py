"""A chart's SVG made fit to stand inside a page: the page's type, no ids that clash, no scripts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from markupsafe import Markup

_SVG = "http://www.w3.org/2000/svg"
_DROPPED = {"metadata", "style", "script", "foreignObject", "title", "desc", "a", "image"}
_FONT = re.compile(r"font-family:[^;]*|(?<=font:)([^;]*?\d(?:\.\d+)?px)[^;]*")
_URL = re.compile(r"url\(#")
FAMILY = "Fervis Sans"


def _font(match: re.Match[str]) -> str:
    return f"{match[1]} '{FAMILY}'" if match[1] else f"font-family:'{FAMILY}'"


def embedded(svg: str, prefix: str, title: str) -> Markup:
    """``svg`` to stand inline in HTML.

    Its ids get ``prefix``, its text the page's font; ``title`` is its text alternative. What could
    run or load anything is dropped.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn by fervis itself; see Figure
    _clean(root, prefix)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.attrib.setdefault("font-family", FAMILY)
    root.attrib.update(
        {
            "xmlns": _SVG,
            "role": "img",
            "aria-labelledby": f"{prefix}title",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    label = ElementTree.Element("title", {"id": f"{prefix}title"})
    label.text = title
    root.insert(0, label)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704


def _clean(element: ElementTree.Element, prefix: str) -> None:
    # Plain names with one xmlns at the root: prefixes come from a registry that others write to.
    element.tag = element.tag.rpartition("}")[2]
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] in _DROPPED:
            element.remove(child)
        else:
            _clean(child, prefix)
    attributes = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in attributes.items():
        kept = _attribute(name, value, prefix)
        if kept is not None:
            element.set(name, kept)


def _attribute(name: str, value: str, prefix: str) -> str | None:
    """What becomes of an attribute; None if it must go."""
    if name.lower().startswith("on"):
        return None
    if name == "id":
        return prefix + value
    if name == "href":
        return f"#{prefix}{value[1:]}" if value.startswith("#") else None
    if name == "font-family":
        return FAMILY
    value = _URL.sub(f"url(#{prefix}", value)
    return _FONT.sub(_font, value) if name == "style" else value
