"""The pictures behind the confusion matrix: all of them, in their cells, the surest first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from fervis.pages import GALLERY
from fervis.render.document import Document, Gallery
from fervis.render.files import Files
from fervis.render.gallery import FEW, FOLDER, IN_ALL, MOST, GalleryView, build_gallery
from fervis.text import Text
from tests.render.html import classed, tagged
from tests.render.sample import sample


def _view(document: Document) -> GalleryView:
    with TemporaryDirectory() as folder:
        view = build_gallery(document, Files(Path(folder)))
    assert view is not None
    return view


def _large(copies: int) -> Document:
    document = sample()
    assert document.gallery is not None
    gallery = document.gallery
    return replace(
        document,
        gallery=Gallery(
            np.tile(gallery.images[:, :2, :2], (copies, 1, 1, 1)),
            np.tile(gallery.labels, copies),
            np.tile(gallery.probabilities, (copies, 1)),
        ),
    )


def test_every_picture_lies_in_the_cell_of_its_classes() -> None:
    document = sample()
    gallery = document.gallery
    assert gallery is not None
    view = _view(document)
    predicted = gallery.probabilities.argmax(1)
    for true, row in enumerate(view.rows):
        for guess, cell in enumerate(row):
            members = {picture.index for picture in cell.pictures}
            assert members == set(np.flatnonzero((gallery.labels == true) & (predicted == guess)))
            assert cell.count == len(members)
            confidences = [picture.confidence for picture in cell.pictures]
            assert confidences == sorted(confidences, reverse=True)


def test_mistakes_come_before_what_is_right() -> None:
    order = [cell.right for cell in _view(sample()).cells]
    assert order == sorted(order)
    assert not order[0]


def test_of_a_large_split_all_mistakes_and_few_right_answers_are_shown() -> None:
    view = _view(_large(50))
    assert sum(cell.count for cell in view.cells) == 3000
    for cell in view.cells:
        assert len(cell.pictures) == (min(cell.count, FEW) if cell.right else cell.count)


def test_of_a_very_large_split_every_cell_leads_to_its_surest_pictures() -> None:
    view = _view(_large(100))
    assert sum(cell.count for cell in view.cells) == 6000
    for cell in view.cells:
        assert len(cell.pictures) == min(cell.count, FEW if cell.right else MOST)
        least = min(picture.confidence for picture in cell.pictures)
        assert least == cell.pictures[-1].confidence


def test_a_site_stays_small_however_many_classes_there_are() -> None:
    classes = 80
    rng = np.random.default_rng(0)
    count = 20_000
    document = replace(
        sample(),
        classes=tuple(Text.same(str(k)) for k in range(classes)),
        gallery=Gallery(
            np.zeros((count, 2, 2, 1), np.uint8),
            rng.integers(0, classes, count),
            rng.random((count, classes), np.float32),
        ),
    )
    view = _view(document)
    shown = sum(len(cell.pictures) for cell in view.cells)
    assert len(view.cells) <= shown <= max(IN_ALL, len(view.cells))


def test_pixels_lie_where_publishing_can_leave_them_out(site: Path) -> None:
    assert FOLDER == GALLERY
    for page in (site / "confusion.html", site / "en" / "confusion.html"):
        sources = [image.attributes["src"] for image in tagged(page, "img")]
        assert len(sources) == 60
        assert all(Path(source).parent.name == GALLERY for source in sources)
        assert all(image.attributes["loading"] == "lazy" for image in tagged(page, "img"))
        assert "data:image" not in page.read_text("utf-8")


def test_every_number_of_the_matrix_leads_to_its_pictures(site: Path) -> None:
    page = site / "en" / "confusion.html"
    sections = {cell.attributes["id"] for cell in classed(page, "cell")}
    links = [link.attributes["href"] for link in tagged(page, "a")]
    matrix = {link[1:] for link in links if link.startswith("#true-")}
    assert matrix == sections
    assert classed(page, "matrix")
    assert classed(site / "index.html", "behind")


@pytest.mark.parametrize("gallery", [None, "empty"])
def test_without_pictures_there_is_no_gallery(gallery: str | None, tmp_path: Path) -> None:
    empty = Gallery(
        np.zeros((0, 4, 4, 1), np.uint8), np.zeros(0, np.int64), np.zeros((0, 7), np.float32)
    )
    document = replace(sample(), gallery=empty if gallery else None)
    assert build_gallery(document, Files(tmp_path)) is None
