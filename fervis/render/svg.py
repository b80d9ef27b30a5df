"""A chart's SVG made fit to stand inside a page, in the page's language and type."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from markupsafe import Markup

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_DROPPED = {"metadata", "style", "script", "foreignObject", "title", "desc", "a", "image"}
_FONT = re.compile(r"font-family:[^;]*|(?<=font:)([^;]*?\d(?:\.\d+)?px)[^;]*")
_URL = re.compile(r"url\(#")
FAMILY = "Fervis Sans"

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


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
    root.set("role", "img")
    root.attrib.setdefault("font-family", FAMILY)
    root.set("stroke-linejoin", "round")  # matplotlib says both in a style sheet for "*"
    root.set("stroke-linecap", "butt")
    label = ElementTree.Element(f"{{{_SVG}}}title", {"id": f"{prefix}title"})
    label.text = title
    root.insert(0, label)
    root.set("aria-labelledby", f"{prefix}title")
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704


def _clean(element: ElementTree.Element, prefix: str) -> None:
    for child in list(element):
        name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else "script"
        if name in _DROPPED:
            element.remove(child)
        else:
            _clean(child, prefix)
    for name, value in list(element.attrib.items()):
        if name.lower().startswith("on"):
            del element.attrib[name]
        elif name == "id":
            element.set(name, prefix + value)
        elif name in ("href", _HREF):
            if value.startswith("#"):
                element.set(name, f"#{prefix}{value[1:]}")
            else:
                del element.attrib[name]
        elif name == "style":
            element.set(name, _FONT.sub(_font, _URL.sub(f"url(#{prefix}", value)))
        elif name == "font-family":
            element.set(name, FAMILY)
        else:
            element.set(name, _URL.sub(f"url(#{prefix}", value))
