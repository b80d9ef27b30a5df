"""Reading pages back: their elements, and what they point to."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)

    @property
    def content(self) -> str:
        return " ".join("".join(self.text).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in ("meta", "link", "img", "input", "br", "hr"):
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data):
        for element in self._open:
            element.text.append(data)


def elements(page: Path | str) -> list[Element]:
    reader = _Reader()
    reader.feed(page.read_text("utf-8") if isinstance(page, Path) else page)
    return reader.elements


def tagged(page: Path | str, tag: str) -> list[Element]:
    return [element for element in elements(page) if element.tag == tag]


def classed(page: Path | str, name: str) -> list[Element]:
    return [
        element for element in elements(page) if name in element.attributes.get("class", "").split()
    ]
