"""A whole site: every page of every language, its figures, data, type and PDFs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from fervis.analyses import REGISTRY
from fervis.installed import version
from fervis.render.document import Document
from fervis.render.files import Files, write
from fervis.render.keep import put_by, recall
from fervis.render.language import words_in
from fervis.render.memory import Memory
from fervis.render.methods import with_methods
from fervis.render.page import Edition, Entry, Page
from fervis.render.press import Presses, Sheet
from fervis.render.templates import Templates, asset
from fervis.render.type import Type, type_for
from fervis.render.view import PictureView, View, build_view
from fervis.text import Message, message

ASSETS = ("style/site.css", "script/site.js")
PAPER = "style/paper.css"
PAPER_VERSION = 1  # raise it whenever the same pages give another PDF


def render(
    document: Document,
    folder: Path,
    *,
    templates: Sequence[Path],
    pdf: bool = True,
    cache: Path | None = None,
    presses: Presses | None = None,
    last: Path | None = None,
    made_by: str = "",
) -> None:
    """Writes the site of ``document`` into the empty ``folder``.

    ``templates`` are searched in order (see ``template_folders``). ``cache`` keeps subset fonts
    and the last pages and PDFs between builds. ``presses`` have been started for the PDFs.
    ``last`` is the site to be replaced: what is the same in it is not written again. ``made_by``
    tells one state of fervis and its templates from another; without it, and with templates of
    the project's own, which may say anything anywhere, no page is remembered.
    Raises TemplateFileError with a file and line, PdfError with what is wrong.
    """
    files = Files(folder, last, cache)
    document = with_methods(document, REGISTRY)
    view = build_view(document, files)
    texts = Templates(templates)
    memory = Memory(cache, last, made_by) if cache and made_by and len(templates) == 1 else None
    editions = [
        Edition(
            view,
            words_in(language, templates, cache),
            "" if place == 0 else f"{language}/",
            texts,
            files,
            cache,
            memory,
        )
        for place, language in enumerate(document.report.languages)
    ]
    papers: dict[str, str] = {}
    for edition in editions:
        for path, html in _pages(edition, editions, pdf):
            files.add(path, html.encode())
        if pdf:
            papers[edition.words.language] = _paper(edition)
    for name in ASSETS:
        files.add(name, asset(name, templates))
    paper_css = asset(PAPER, templates).decode() if pdf else ""
    fonts = type_for(chain(papers.values(), [paper_css], files.texts(".html", ".css")), cache)
    files.add("style/fonts.css", fonts.style)
    packed = fonts.packed(cache)  # for browsers alone: PDFs are set meanwhile
    if papers:
        _press(papers, paper_css, files, fonts, folder, cache, presses, last)
    for path, font in packed.items():
        files.add(path, font.result())
    files.remember()
    if memory:
        memory.forget_others()


def _press(
    papers: Mapping[str, str],
    css: str,
    files: Files,
    fonts: Type,
    folder: Path,
    cache: Path | None,
    presses: Presses | None,
    last: Path | None,
) -> None:
    """Writes the PDF of every language, by its HTML in ``papers``, and the first one's copy."""
    sheets = [
        _sheet(fonts.spelled(html), css, f"report.{language}.pdf")
        for language, html in papers.items()
    ]
    recipes = {sheet.name: _recipe(sheet, files, fonts) for sheet in sheets}
    known = {sheet.name: recall(cache, sheet.name, recipes[sheet.name]) for sheet in sheets}
    for name, pdf_before in known.items():
        if pdf_before is not None:
            write(folder / name, pdf_before, last and last / name)
    missing = [sheet for sheet in sheets if known[sheet.name] is None]
    if missing:
        with presses or Presses(len(missing)) as at_work:
            at_work.run(missing, folder, fonts.unpacked)
    for sheet in missing:
        put_by(cache, sheet.name, recipes[sheet.name], (folder / sheet.name).read_bytes())
    first = (folder / sheets[0].name).read_bytes()
    write(folder / "report.pdf", first, last and last / "report.pdf")


def _pages(edition: Edition, editions: Sequence[Edition], pdf: bool) -> Iterator[tuple[str, str]]:
    """(path, HTML) of every page of one language."""
    view, words = edition.view, edition.words
    title = words.say(view.document.report.title)

    def page(kind: str, name: str, heading: str) -> Page:
        return _page(edition, editions, kind, name, heading, pdf)

    yield (
        f"{edition.folder}index.html",
        edition.render("index.html", page("report", "index.html", title)),
    )
    for picture in {picture.page: picture for picture in view.pictures.values()}.values():
        heading = words.say(message("Image {index}", index=picture.index))
        yield (
            edition.folder + picture.page,
            edition.render(
                "image.html",
                page("image", picture.page, f"{heading} — {title}"),
                tuple(_image_says(picture, view)),
                picture=picture,
                uses=view.uses.get(picture.index, ()),
            ),
        )
    document = view.document
    others: list[tuple[str, Message, Sequence[object]]] = [
        (
            "network",
            message("The network"),
            (document.accuracy, document.versions, view.training),
        ),
        ("methods", message("Methods"), (document.methods,)),
    ]
    if view.gallery:
        others.append(("confusion", message("Confusion matrix"), (view.gallery, tuple(view.uses))))
    for kind, what, says in others:
        name = f"{kind}.html"
        yield (
            edition.folder + name,
            edition.render(name, page(kind, name, f"{words.say(what)} — {title}"), says),
        )


def _image_says(picture: PictureView, view: View) -> Iterator[object]:
    """All that image.html says of one picture; of a question and its blocks that is not much."""
    yield from (picture, [reference.key for reference in view.document.report.references])
    for use in view.uses.get(picture.index, ()):
        question, block = use.question, use.block
        yield question.number, question.question.title, block.title, block.facts, block.reading
        yield use.shown


def _page(
    edition: Edition, editions: Sequence[Edition], kind: str, name: str, title: str, pdf: bool
) -> Page:
    path = edition.folder + name
    root = "../" * path.count("/")
    words = edition.words
    menu = [
        ("report", "index.html", message("Report")),
        ("network", "network.html", message("The network")),
        ("methods", "methods.html", message("Methods")),
    ]
    if edition.view.gallery:
        menu.insert(1, ("confusion", "confusion.html", message("Confusion matrix")))
    return Page(
        kind,
        path,
        words.language,
        title,
        menu=tuple(
            Entry(words.say(text), root + edition.folder + target, kind == entry)
            for entry, target, text in menu
        ),
        languages=tuple(
            Entry(
                other.words.name, root + other.folder + name, other is edition, other.words.language
            )
            for other in editions
        ),
        pdf=f"{root}report.{words.language}.pdf" if pdf else "",
    )


def _paper(edition: Edition) -> str:
    report, words = edition.view.document.report, edition.words
    author = " · ".join(words.say(value) for _, value in report.author)
    page = Page("paper", "paper.html", words.language, words.say(report.title), author)
    return edition.render("paper.html", page)


def _sheet(html: str, css: str, name: str) -> Sheet:
    return Sheet(name, html, css, hashlib.sha256(html.encode() + css.encode()).digest()[:16])


def _recipe(sheet: Sheet, files: Files, fonts: Type) -> str:
    """All that the bytes of a PDF depend on, as text."""
    libraries = [f"{name} {version(name)}" for name in ("weasyprint", "pydyf", "fonttools")]
    plain = {path: hashlib.sha256(font).hexdigest() for path, font in fonts.unpacked.items()}
    content = files.digests | plain
    folders = {path.partition("/")[0] for path in content}
    named = tuple(f"{folder}/" for folder in folders if f"{folder}/" in sheet.html)
    read = [
        f"{path} {content[path]}"
        for path in sorted(content)
        if path.startswith(("fonts/", "style/")) or (path.startswith(named) and path in sheet.html)
    ]
    return "\n".join([f"{PAPER_VERSION}", *libraries, sheet.html, sheet.css, *read])
