"""The PDF: what it says, how it looks, and what a reader that listens gets."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pypdfium2
import pytest
from PIL import Image

from fervis.render import render, template_folders
from fervis.render.document import Shown
from fervis.render.errors import PdfError
from fervis.render.pdf import ORIGIN, pdf_bytes, site_fetcher
from tests.render.sample import confusion, sample

MM = 72 / 25.4
LANGUAGES = ("zh-Hant", "en")
TITLES = {  # of the default report
    "zh-Hant": "表情辨識網路看的是哪裡？",
    "en": "What does an expression network look at?",
}


@pytest.fixture(params=["site", "default_site"])
def papers(request: pytest.FixtureRequest) -> Path:
    """Folders with a PDF per language: the sample's, with failures in it, and the default one."""
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder


def _text(file: Path) -> str:
    document = pypdfium2.PdfDocument(file)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.replace("\ufffe", "").split())


def _structure(pdf: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    found, waiting = [], [pdf.Root.StructTreeRoot.K]
    while waiting:
        item = waiting.pop()
        if isinstance(item, pikepdf.Array):
            waiting.extend(item)
        elif isinstance(item, pikepdf.Dictionary) and "/S" in item:
            found.append(item)
            waiting.append(item.get("/K", pikepdf.Array()))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_short_light_and_names_itself(papers: Path, language: str) -> None:
    file = papers / f"report.{language}.pdf"
    assert file.stat().st_size < 3_000_000
    with pikepdf.open(file) as pdf:
        assert 5 <= len(pdf.pages) < 20
        assert str(pdf.Root.Lang) == language
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo.Title).strip()
        with pdf.open_metadata() as said:
            assert said["pdfuaid:part"] == "1"
        assert "/CreationDate" not in pdf.docinfo
        width, height = (float(x) / MM for x in pdf.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)


def test_the_text_can_be_read_and_searched(site: Path) -> None:
    chinese, english = _text(site / "report.pdf"), _text(site / "report.en.pdf")
    for words in (
        "卷積網路看見了什麼",
        "B09901000",
        "(2%)",
        "(Collaborators: 無)",
        "看對了地方",
        "眉毛形狀",
        "圖片 812",
        "ValueError: logits are not finite",
        "參考文獻",
    ):
        assert words in chinese, words
    for words in (
        "Index 4 (image 812) — sad",
        "Looks at the wrong place",
        "References",
        "arxiv.org/abs/1610.02391",
    ):
        assert words in english, words


def test_only_fonts_that_come_along_are_used_and_embedded(papers: Path) -> None:
    for language in LANGUAGES:
        with pikepdf.open(papers / f"report.{language}.pdf") as pdf:
            fonts = [
                o
                for o in pdf.objects
                if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
            ]
            names = {str(font.FontName).partition("+")[2] for font in fonts}
            assert names <= {"Fervis-Sans", "Fervis-Serif", "Fervis-Strong", "Fervis-Symbols"}
            assert all("/FontFile2" in font for font in fonts), "only TrueType shows everywhere"


def test_bookmarks_are_the_questions_and_their_parts(site: Path) -> None:
    with pikepdf.open(site / "report.en.pdf") as pdf, pdf.open_outline() as outline:
        tops = [" ".join(item.title.split()) for item in outline.root]
        assert [top.split(" (")[0] for top in tops] == [
            "1. Saliency maps",
            "2. Filters and outputs",
            "3. LIME and the confusion matrix",
            "4. Something else",
            "References",
        ]
        assert [child.title for child in outline.root[1].children] == ["Filters", "Filter outputs"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_have_alternatives_scopes_and_printed_links(papers: Path, language: str) -> None:
    with pikepdf.open(papers / f"report.{language}.pdf") as pdf:
        items = _structure(pdf)
        figures = [item for item in items if item.S == "/Figure"]
        assert len(figures) >= (7 + 6 + 4) * 3 + 64
        assert all(str(item.get("/Alt", "")).strip() for item in figures)
        headers = [item for item in items if item.S == "/TH"]
        assert {str(item.A.Scope) for item in headers} == {"/Row", "/Column"}
        links = [
            annotation
            for page in pdf.pages
            for annotation in page.get("/Annots", ())
            if annotation.Subtype == "/Link"
        ]
        assert links
        assert all(int(link.F) & 4 for link in links)


def test_faces_are_large_enough_to_be_seen_and_stay_inside_the_page(site: Path) -> None:
    document, wide = pypdfium2.PdfDocument(site / "report.pdf"), 0
    for page in document:
        width, height = page.get_size()
        for image in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]):
            left, bottom, right, top = image.get_bounds()
            assert left >= 10 * MM
            assert bottom >= 10 * MM
            assert right <= width - 10 * MM
            assert top <= height - 10 * MM
            if image.get_px_size() == (48, 48) and right - left >= 30 * MM:
                wide += 1
    assert wide == (7 + 6 + 4) * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_but_the_last_is_mostly_empty(papers: Path, language: str) -> None:
    document = pypdfium2.PdfDocument(papers / f"report.{language}.pdf")
    for number in range(len(document) - 1):
        page = document[number].render(scale=0.5, grayscale=True).to_numpy().squeeze()
        body = page[int(page.shape[0] * 0.07) : int(page.shape[0] * 0.94)]
        rows = np.flatnonzero((body < 200).any(axis=1))
        assert rows.size
        assert rows[-1] / body.shape[0] > 0.5, f"page {number + 1}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_filled_and_nothing_runs_into_the_margin(papers: Path, language: str) -> None:
    _look_at_pages(papers / f"report.{language}.pdf")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_box_lies_inside_its_page(papers: Path, language: str) -> None:
    """Pictures, lines and letters: what a viewer would clip is never seen in a rendered page."""
    for number, page in enumerate(pypdfium2.PdfDocument(papers / f"report.{language}.pdf"), 1):
        width, height = page.get_size()
        for thing in page.get_objects():
            left, bottom, right, top = thing.get_bounds()
            assert -1 <= left <= right <= width + 1, f"page {number}"
            assert -1 <= bottom <= top <= height + 1, f"page {number}"


@pytest.mark.parametrize("reader", ["poppler", "PDFium", "MuPDF"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reader_finds_and_draws_the_words(
    default_site: Path, language: str, reader: str, tool: Callable[[str], str], tmp_path: Path
) -> None:
    file = default_site / f"report.{language}.pdf"
    words = {
        "zh-Hant": ("林小真", "顯著圖", "動過的部位", "濾波器", "混淆矩陣", "驚訝"),
        "en": ("Lin Hsiao-Chen", "Saliency maps", "glabella", "Confusion matrix", "surprise"),
    }[language]
    if reader == "PDFium":
        text = _text(file)
        drawn = pypdfium2.PdfDocument(file)[0].render(scale=1, grayscale=True).to_numpy().squeeze()
    elif reader == "MuPDF":
        with pymupdf.open(file) as document:
            text = "\n".join(page.get_text() for page in document)
            seen = document[0].get_pixmap(colorspace=pymupdf.csGRAY)
            drawn = np.frombuffer(seen.samples, np.uint8).reshape(seen.height, seen.width)
    else:
        command = [tool("pdftotext"), "-enc", "UTF-8", str(file), "-"]
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        picture = tmp_path / "page"
        subprocess.run(
            [tool("pdftoppm"), "-gray", "-r", "72", "-singlefile", str(file), str(picture)],
            check=True,
        )
        with Image.open(picture.with_suffix(".pgm")) as opened:
            drawn = np.asarray(opened)
    plain = "".join(text.replace("\ufffe", "").split())
    for each in (*words, TITLES[language]):
        assert "".join(each.split()) in plain, each
    assert "\ufffd" not in text
    top = drawn[int(drawn.shape[0] * 0.07) : int(drawn.shape[0] * 0.13)]  # where the title stands
    assert (top < 128).mean() > 0.01


def test_another_process_sets_the_same_bytes(default_site: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.golden import default\n"
        "default.build(Path(sys.argv[1]))"
    )
    again = tmp_path / "elsewhere"
    subprocess.run(
        [sys.executable, "-c", code, str(again)],
        env={
            **os.environ,
            "PYTHONHASHSEED": "1",
            "PYTHONPATH": str(Path.cwd()),
            "TZ": "Asia/Taipei",
        },
        check=True,
    )
    first, second = (
        {
            path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in site.rglob("*")
            if path.is_file()
        }
        for site in (default_site, again / "site")
    )
    assert first == second


def test_two_charts_of_one_figure_fit_the_page(tmp_path: Path, fonts: Path) -> None:
    document = sample(("en",))
    (*others, (lime, block), free), matrix = document.answers, confusion()
    twice = replace(matrix, panels=(matrix.panels[0], replace(matrix.panels[0], key="again")))
    changed = (lime, replace(block, shown=(Shown(twice),)))
    document = replace(document, answers=(*others, changed, free), gallery=None)
    render(document, tmp_path, templates=template_folders(), cache=fonts)
    _look_at_pages(tmp_path / "report.en.pdf")


def _look_at_pages(file: Path) -> None:
    """A quarter of the lines of every page but the last holds something; margins hold nothing."""
    document = pypdfium2.PdfDocument(file)
    for number, page in enumerate(document, 1):
        drawn = page.render(scale=0.5, grayscale=True).to_numpy().squeeze()
        height, width = drawn.shape
        ink = drawn[int(height * 0.07) : int(height * 0.94)] < 200
        margin = int(width * 15 / 210)
        assert not ink[:, :margin].any(), f"page {number}: something is in the left margin"
        assert not ink[:, -margin:].any(), f"page {number}: something is in the right margin"
        if number < len(document):
            assert ink.any(axis=1).mean() > 0.25, f"page {number} is nearly empty"


def test_chinese_is_drawn_and_not_blank(site: Path) -> None:
    """A CID-keyed CFF font would leave the title's line white in some viewers."""
    page = pypdfium2.PdfDocument(site / "report.pdf")[0]
    search = page.get_textpage().search("卷積網路")
    index, count = search.get_next()
    assert count == 4
    left, bottom, right, top = page.get_textpage().get_charbox(index)
    scale = 4
    drawn = page.render(scale=scale, grayscale=True).to_numpy().squeeze()
    height = page.get_size()[1]
    glyph = drawn[
        int((height - top) * scale) : int((height - bottom) * scale),
        int(left * scale) : int(right * scale),
    ]
    assert 0.05 < (glyph < 128).mean() < 0.9


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "site" / "style").mkdir(parents=True)
    (tmp_path / "site" / "style" / "fonts.css").write_text("")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "site"


PAGE = '<html lang="en"><head><title>t</title></head><body>{}</body></html>'


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "../secret.txt",
        "style/../../secret.txt",
        "%2e%2e/secret.txt",
        "http://169.254.169.254/latest",
        "https://example.org/x.png",
        "ftp://example.org/x",
        "file://host/etc/passwd",
        "//example.org/x.png",
    ],
)
def test_nothing_outside_the_site_gets_into_a_pdf(tmp_path: Path, address: str) -> None:
    site = _folder(tmp_path)
    with pytest.raises(PdfError):
        pdf_bytes(PAGE.format(f'<img src="{address}" alt="x">'), "", site, b"id")


def test_a_link_out_of_the_site_is_refused(tmp_path: Path) -> None:
    site = _folder(tmp_path)
    (site / "leak.png").symlink_to(tmp_path / "secret.txt")
    fetcher = site_fetcher(site)
    with pytest.raises(ValueError, match="not a file of the site"):
        fetcher.fetch(f"{ORIGIN}leak.png")
    attachment = '<link rel="attachment" href="file:///etc/passwd">'
    with pytest.raises(PdfError):
        pdf_bytes(PAGE.format("x").replace("</head>", f"{attachment}</head>"), "", site, b"id")


def test_what_would_be_missing_on_paper_is_an_error(tmp_path: Path) -> None:
    site = _folder(tmp_path)
    with pytest.raises(PdfError, match=r"nothing\.png"):
        pdf_bytes(PAGE.format('<img src="nothing.png" alt="x">'), "", site, b"id")
