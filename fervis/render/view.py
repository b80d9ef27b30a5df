"""The document as the templates see it: every part has an id, every picture a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fervis.draw.colour import COLOUR_MAPS, strip
from fervis.draw.figure import Fact, Figure, NumberFile, Panel
from fervis.draw.numbers import number_files
from fervis.render.document import Block, Document, Failure, Picture, Shown
from fervis.render.files import Files
from fervis.render.gallery import GalleryView, build_gallery
from fervis.render.safe import slug
from fervis.spec.report import Note, Part, Question
from fervis.text import Message, Text

SCALE = "figures/scale-{}.png"
"""Where a colour map lies as a strip, beside the maps that are drawn in it."""


@dataclass(frozen=True)
class PanelView:
    """A panel and where its picture lies in the site; ``variants`` are (colour map, file)."""

    id: str
    panel: Panel
    src: str
    variants: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Download:
    """A file of numbers behind a figure."""

    kind: str  # "CSV" or "NPZ"
    name: str
    href: str


@dataclass(frozen=True)
class FigureView:
    """A figure with its files. ``facts`` are those that other figures of its block lack.

    ``reading`` is None where the block says it for all its figures.
    """

    id: str
    figure: Figure
    panels: tuple[PanelView, ...]
    downloads: tuple[Download, ...]
    facts: tuple[Fact, ...]
    reading: Message | None = None

    def having(self, *roles: str) -> tuple[PanelView, ...]:
        """The panels of these roles, in order."""
        return tuple(view for view in self.panels if view.panel.role in roles)

    @property
    def beside_a_note(self) -> bool:
        """Whether a short note fits to its right: two or three small pictures and no table."""
        small = all(view.panel.role in ("picture", "map", "overlay") for view in self.panels)
        return small and len(self.panels) in (2, 3) and not self.figure.tables

    @property
    def blend(self) -> tuple[PanelView, PanelView] | None:
        """The picture and the map that a slider can lay over each other."""
        pictures, maps = self.having("picture"), self.having("map")
        return (pictures[0], maps[0]) if pictures and maps else None


@dataclass(frozen=True)
class PictureView:
    """A picture of the report, its file, and the network's probabilities, the surest first."""

    picture: Picture
    src: str
    page: str
    label: Text | None
    ranking: tuple[tuple[Text, float], ...]
    right: bool | None  # None: not known

    @property
    def index(self) -> int:
        """Its index in the split."""
        return self.picture.index


@dataclass(frozen=True)
class ShownView:
    """One figure of a block, with the author's note on its picture."""

    id: str
    picture: PictureView | None
    figure: FigureView | None
    failure: Failure | None
    note: Note | None = None


@dataclass(frozen=True)
class BlockView:
    """A part of an answer. ``facts`` and ``reading`` hold for all its figures."""

    id: str
    analysis: str
    part: Part
    title: Message | Text | None
    shown: tuple[ShownView, ...]
    facts: tuple[Fact, ...]
    failure: Failure | None
    reading: Message | None = None
    notes: tuple[tuple[int | str, Note], ...] = ()  # on pictures that are not shown

    @property
    def per_picture(self) -> bool:
        """Whether every picture gets a heading of its own."""
        return len(self.shown) > 1 or any(shown.note for shown in self.shown)


@dataclass(frozen=True)
class QuestionView:
    """A question, its number from 1, and the blocks of its answer."""

    id: str
    number: int
    question: Question
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True)
class Use:
    """A place in the report where a picture is shown."""

    question: QuestionView
    block: BlockView
    shown: ShownView


@dataclass(frozen=True)
class View:
    """All that is the same on the pages of every language."""

    document: Document
    questions: tuple[QuestionView, ...]
    pictures: Mapping[int | str, PictureView]
    uses: Mapping[int, tuple[Use, ...]] = field(default_factory=dict)  # by index in the split
    gallery: GalleryView | None = None
    training: tuple[ShownView, ...] = ()  # the curves of all parts, or else those of the document


def build_view(document: Document, files: Files) -> View:
    """Gives every figure its files, in ``files``, and every part its id."""
    pictures = {
        name: _picture(picture, document, files) for name, picture in document.pictures.items()
    }
    questions = []
    for number, (question, blocks) in enumerate(
        zip(document.report.questions, document.answers, strict=True), 1
    ):
        views = tuple(
            _block(f"q{number}-{place}", block, document, pictures, files)
            for place, block in enumerate(blocks, 1)
        )
        questions.append(QuestionView(f"q{number}", number, question, views))
    asked = (block for question in questions for block in question.blocks)
    training = [one for block in asked if block.analysis == "training" for one in block.shown]
    if not training:
        training = [_shown("training", one, (), None, {}, {}, files) for one in document.training]
    return View(
        document,
        tuple(questions),
        pictures,
        _uses(questions),
        build_gallery(document, files),
        tuple(one for one in training if one.figure),
    )


def _uses(questions: Sequence[QuestionView]) -> dict[int, tuple[Use, ...]]:
    uses: dict[int, tuple[Use, ...]] = {}
    for question in questions:
        for block in question.blocks:
            for shown in block.shown:
                if shown.picture:
                    index = shown.picture.index
                    uses[index] = (*uses.get(index, ()), Use(question, block, shown))
    return uses


def _picture(picture: Picture, document: Document, files: Files) -> PictureView:
    src = files.picture(f"figures/picture-{picture.index}.png", picture.image)
    label = None if picture.label is None else document.classes[picture.label]
    ranking: tuple[tuple[Text, float], ...] = ()
    right = None
    if picture.probabilities is not None:
        order = np.argsort(-picture.probabilities, kind="stable")
        ranking = tuple((document.classes[k], float(picture.probabilities[k])) for k in order)
        right = None if picture.label is None else int(order[0]) == picture.label
    page = f"image/{picture.index}.html"
    return PictureView(picture, src, page, label, ranking, right)


def _block(
    block_id: str,
    block: Block,
    document: Document,
    pictures: Mapping[int | str, PictureView],
    files: Files,
) -> BlockView:
    part, notes = block.part, dict(block.part.notes)
    common, reading = _common_facts(block.shown), _common_reading(block.shown)
    shown = tuple(
        _shown(
            f"{block_id}-{place if one.picture is None else slug(str(one.picture))}",
            one,
            common,
            reading,
            pictures,
            notes,
            files,
        )
        for place, one in enumerate(block.shown, 1)
    )
    method = document.methods.get(part.analysis)
    return BlockView(
        block_id,
        part.analysis,
        part,
        part.title or (method.title if method else None),
        shown,
        common,
        block.failure,
        reading,
        tuple((name, note) for name, note in notes.items()),
    )


def _common_facts(shown: Sequence[Shown]) -> tuple[Fact, ...]:
    figures = [one.figure for one in shown if one.figure]
    if len(figures) < 2:
        return ()
    first, *others = figures
    return tuple(fact for fact in first.facts if all(fact in other.facts for other in others))


def _common_reading(shown: Sequence[Shown]) -> Message | None:
    figures = [one.figure for one in shown if one.figure]
    readings = [figure.reading for figure in figures]
    return readings[0] if len(figures) > 1 and readings == readings[:1] * len(figures) else None


def _shown(
    shown_id: str,
    shown: Shown,
    common: Sequence[Fact],
    reading: Message | None,
    pictures: Mapping[int | str, PictureView],
    notes: dict[int | str, Note],
    files: Files,
) -> ShownView:
    shown_id = files.unique(shown_id)
    picture = None if shown.picture is None else pictures.get(shown.picture)
    note = None if shown.picture is None else notes.pop(shown.picture, None)
    figure = _figure(shown_id, shown, common, reading, files) if shown.figure else None
    return ShownView(shown_id, picture, figure, shown.failure, note)


def _figure(
    name: str, shown: Shown, common: Sequence[Fact], reading: Message | None, files: Files
) -> FigureView | None:
    figure = shown.whole() if shown.whole else shown.figure
    if figure is None or shown.figure is None:
        return None
    # The files are written, and memory is for what a page says.
    words = shown.figure if shown.whole else figure.in_words()
    if any(panel.colour_bar for panel in figure.panels):
        _scales(files)
    panels = []
    for panel, said in zip(figure.panels, words.panels, strict=True):
        stem = files.unique(f"figures/{name}-{slug(panel.key)}")
        src = files.add(f"{stem}.png", panel.png) if panel.png else ""
        variants = tuple(
            (kind, files.add(f"{stem}-{slug(kind)}.png", png))
            for kind, png in panel.variants.items()
        )
        panels.append(PanelView(stem.removeprefix("figures/"), said, src, variants))
    facts = tuple(fact for fact in figure.facts if fact not in common)
    own = None if figure.reading == reading else figure.reading
    numbers = figure.numbers or number_files(figure.data)
    return FigureView(name, words, tuple(panels), _downloads(name, numbers, files), facts, own)


def _scales(files: Files) -> None:
    """All of them: a reader may choose other colours on the page."""
    for name in COLOUR_MAPS:
        if SCALE.format(name) not in files.digests:
            files.picture(SCALE.format(name), strip(name))


def _downloads(name: str, numbers: Sequence[NumberFile], files: Files) -> tuple[Download, ...]:
    found = []
    for file in numbers:
        stem = f"data/{name}-{slug(file.key)}" if file.key else f"data/{name}"
        path = files.add(f"{files.unique(stem)}.{file.kind.lower()}", file.content)
        found.append(Download(file.kind, file.title, path))
    return tuple(found)
