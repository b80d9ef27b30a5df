"""One page: where it lies, how it links to the others, and the words it is written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from markupsafe import Markup, escape

from fervis.draw.colour import COLOUR_MAPS
from fervis.draw.figure import Table
from fervis.render.files import Files
from fervis.render.language import Words
from fervis.render.markdown import Markdown, math_failed
from fervis.render.maths import Formula, FormulaError, formula
from fervis.render.memory import Memory, Piece
from fervis.render.svg import embedded
from fervis.render.templates import Templates
from fervis.render.view import SCALE, BlockView, PanelView, View
from fervis.text import Message, Text, message

_LINK = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_FIGURE = re.compile(r"[–—]|[-−]?\d[\d.,]*(e[-+]?\d+)?\s?%?")
BESIDE = ("filters", "activations")
"""Analyses that stand side by side where they follow each other on the same layer."""


@dataclass(frozen=True)
class Entry:
    """A link of the menu or of the language switch."""

    title: str
    href: str
    current: bool
    tag: str = ""

    @property
    def name(self) -> str:
        """Its title: what a language calls itself."""
        return self.title


@dataclass(frozen=True)
class Page:
    """What a template knows about the page that it makes."""

    kind: str
    path: str
    language: str
    title: str
    author: str = ""
    menu: tuple[Entry, ...] = ()
    languages: tuple[Entry, ...] = ()
    pdf: str = ""


@dataclass(frozen=True)
class Edition:
    """The report in one language. ``folder`` is where its pages lie: "" or "en/".

    Without ``memory`` every page is rendered.
    """

    view: View
    words: Words
    folder: str
    templates: Templates
    files: Files
    cache: Path | None = None
    memory: Memory | None = None

    def render(
        self, template: str, page: Page, stands_on: Sequence[object] | None = None, **values: Any
    ) -> str:
        """The page's HTML, with ``values`` beside what every template may use.

        ``stands_on`` is all of the view that the page shows besides its frame: while it is the
        same, so is the page. Without it only the parts of the page are remembered.
        """
        formulas: list[tuple[str, bool]] = []

        def made() -> str:
            known = self._values(page, formulas, parts=stands_on is None)
            return self.templates.render(template, {**known, **values})

        if stands_on is None:
            return made()
        document = self.view.document
        frame = (
            page,
            document.report.title,
            document.report.date,
            document.dataset,
            document.split,
            document.dataset_size,
            document.network,
        )
        return self._remembered(page.path, (frame, *stands_on), formulas, made)

    def _remembered(
        self,
        place: str,
        stands_on: Sequence[object],
        formulas: list[tuple[str, bool]],
        make: Callable[[], str],
    ) -> str:
        """What ``make()`` gives; what it appends to ``formulas`` has its files then, too."""
        if self.memory is None:
            return make()

        def made() -> Piece:
            before = len(formulas)
            return Piece(str(make()), tuple(formulas[before:]))

        piece = self.memory.piece(f"{self.words.language}/{place}", stands_on, made)
        for latex, display in piece.formulas:
            self._drawn(latex, display)
        return piece.html

    def _values(
        self, page: Page, formulas: list[tuple[str, bool]], *, parts: bool
    ) -> dict[str, Any]:
        paper = page.kind == "paper"
        root = "../" * page.path.count("/")
        report, words = self.view.document.report, self.words
        numbers = {
            reference.key: place
            for place, reference in enumerate(report.references, 1)
            if reference.key
        }
        home = "" if page.kind in ("report", "paper") else f"{root}{self.folder}index.html"

        def set_math(latex: str, display: bool = True) -> Markup:
            return self._math(latex, display, root, paper, formulas)

        def remembered(block: BlockView, caller: Callable[[], Markup]) -> Markup:
            if not parts:
                return caller()
            view = self.view
            around = (page.kind, page.path, view.document.split, view.gallery is None, numbers)
            html = self._remembered(f"{page.path}/{block.id}", (around, block), formulas, caller)
            return Markup(html)  # noqa: S704 - a template's own

        markdown = Markdown(numbers, set_math, home)

        def translate(msgid: str, **values: Any) -> str:
            return words.say(Message(msgid, values))

        def text(value: Text | Message | str, render: Callable[[str], Markup]) -> Markup:
            if isinstance(value, Text):
                return render(value.in_language(words.language))
            return escape(words.say(value))

        return {
            "page": page,
            "paper": paper,
            "view": self.view,
            "document": self.view.document,
            "report": report,
            "_": translate,
            "say": words.say,
            "number": words.number,
            "md": lambda value: text(value, markdown.block),
            "md_inline": lambda value: text(value, markdown.inline),
            "math": set_math,
            "url": lambda path: root + path,
            "link": lambda path: root + self.folder + path,
            "chart": self._chart,
            "partial": self._partial,
            "groups": groups,
            "remembered": remembered,
            "strip": self._strip,
            "gettext": words.catalogue.gettext,
            "ngettext": words.catalogue.ngettext,
            "is_link": is_link,
            "rounded": rounded,
            "figure_columns": figure_columns,
            "width_of": lambda value: width_of(words.say(value)),
        }

    def _partial(self, analysis: str) -> str:
        name = f"analyses/{analysis}.html"
        return name if self.templates.exists(name) else "analyses/default.html"

    def _chart(self, view: PanelView) -> Markup:
        prefix = re.sub(r"\W", "-", f"{view.id}-")
        alt = self.words.say(view.panel.alt) or self.words.say(view.panel.title)
        return embedded(view.panel.svg_in_words_of(self.words.say), prefix, alt)

    def _strip(self, colour_map: str) -> str:
        """The file of a colour map as a strip, low values left."""
        return SCALE.format(colour_map if colour_map in COLOUR_MAPS else "viridis")

    def _drawn(self, latex: str, display: bool) -> Formula:
        drawn = formula(latex, display, self.cache)
        self.files.add(drawn.file, drawn.svg)
        return drawn

    def _math(
        self,
        latex: str,
        display: bool,
        root: str,
        paper: bool,
        formulas: list[tuple[str, bool]],
    ) -> Markup:
        try:
            drawn = self._drawn(latex, display)
        except FormulaError as error:
            return math_failed(latex, error)
        formulas.append((latex, display))
        style = f"width:{drawn.width}em;height:{drawn.height}em;vertical-align:{-drawn.depth:.3f}em"
        image = Markup('<img class="math-image" src="{}" alt="{}" style="{}">').format(
            root + drawn.file, drawn.spoken if paper else "", style
        )
        heard = (
            Markup("")
            if paper
            else Markup('<span class="heard">{}</span>').format(Markup(drawn.mathml))  # noqa: S704 - escaped
        )
        if not display:
            return Markup('<span class="math inline">{}{}</span>').format(image, heard)
        reached = (  # a formula wider than a phone is scrolled by keyboard, too
            Markup("")
            if paper
            else Markup(' tabindex="0" role="group" aria-label="{}"').format(
                self.words.say(message("Formula"))
            )
        )
        return Markup('<span class="math display"{}>{}{}</span>').format(reached, image, heard)


def figure_columns(table: Table) -> tuple[bool, ...]:
    """Which columns hold numbers alone, and so are set flush right."""
    return tuple(all(map(_is_figure, cells)) for cells in zip(*table.rows, strict=True))


def _is_figure(cell: object) -> bool:
    if isinstance(cell, str):
        return _FIGURE.fullmatch(cell) is not None
    return cell is None or isinstance(cell, int | float)


def rounded(cell: object) -> object:
    """A figure in two digits, where there is room for no more; anything else as it is."""
    try:
        return f"{float(str(cell)):.2g}"
    except ValueError:
        return cell


def is_link(address: str) -> bool:
    """Whether an address may be linked to: http or https, and nothing strange in it."""
    return _LINK.fullmatch(address) is not None


def width_of(text: str) -> int:
    """How much room a text takes, in halves of an em: a Chinese character counts double."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def groups(blocks: Sequence[BlockView]) -> Iterator[tuple[BlockView, ...]]:
    """The blocks in order; filters and activations of one layer in a row form a group."""
    waiting: list[BlockView] = []
    for block in blocks:
        if waiting and not _beside(waiting[-1], block):
            yield tuple(waiting)
            waiting = []
        waiting.append(block)
        if len(waiting) == 2:
            yield tuple(waiting)
            waiting = []
    if waiting:
        yield tuple(waiting)


def _beside(one: BlockView, other: BlockView) -> bool:
    layer = getattr(one.part.options, "layer", None)
    return {one.analysis, other.analysis} == set(BESIDE) and layer == getattr(
        other.part.options, "layer", None
    )
