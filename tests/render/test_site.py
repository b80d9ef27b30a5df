"""The site as plain files: complete, self-contained, the same twice."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np

from fervis.draw.figure import Table
from fervis.draw.numbers import columns_csv, columns_of
from fervis.render import render, template_folders
from fervis.render.files import Files
from fervis.render.page import figure_columns
from fervis.text import message
from tests.render.html import classed, elements, tagged
from tests.render.sample import INDICES, sample


def _pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def _contents(site: Path) -> dict[str, bytes]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def test_each_language_has_every_page_and_a_pdf(site: Path) -> None:
    names = {
        "index.html",
        "network.html",
        "methods.html",
        *(f"image/{index}.html" for index in INDICES.values()),
    }
    for home in (site, site / "en"):
        assert {p.relative_to(home).as_posix() for p in _pages(home)} >= names
    assert (site / "report.pdf").read_bytes() == (site / "report.zh-Hant.pdf").read_bytes()
    assert (site / "report.en.pdf").is_file()


def test_every_link_and_source_leads_to_a_file_or_anchor_of_the_site(site: Path) -> None:
    anchors = {page: {e.attributes.get("id") for e in elements(page)} for page in _pages(site)}
    for page in _pages(site):
        for element in elements(page):
            for name in ("href", "src", "data-map-jet", "data-map-viridis"):
                address = element.attributes.get(name)
                if address is None or address.startswith(("https://", "data:,")):
                    continue
                parts = urlsplit(address)
                assert not parts.scheme, address
                assert not parts.path.startswith("/"), address
                target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
                assert target.is_file(), f"{page}: {address}"
                if parts.fragment:
                    assert parts.fragment in anchors[target], f"{page}: {address}"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in _pages(site):
        for element in elements(page):
            loads = element.tag in ("script", "img", "iframe", "source", "object") or (
                element.tag == "link" and element.attributes["rel"] != "alternate"
            )
            address = element.attributes.get("src") or element.attributes.get("href", "")
            assert not (loads and "//" in address), element
    style = (site / "style" / "site.css").read_text() + (site / "style" / "fonts.css").read_text()
    assert "//" not in style.replace("https://", "//").split("/*")[0]
    assert "url(http" not in style


def test_ids_are_unique_and_headings_in_order(site: Path) -> None:
    for page in _pages(site):
        ids = [e.attributes["id"] for e in elements(page) if "id" in e.attributes]
        assert len(ids) == len(set(ids)), page
        levels = [int(e.tag[1]) for e in elements(page) if e.tag in ("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1
        first = levels.index(1)
        assert all(b <= a + 1 for a, b in zip(levels[first:], levels[first + 1 :], strict=False))


def test_every_page_is_parsed_without_an_error(site: Path) -> None:
    """By the HTML standard's own parsing rules; a validator of the vocabulary is not at hand."""
    from tinyhtml5.parser import HTMLParser

    for page in _pages(site):
        parser = HTMLParser()
        parser.parse(page.read_text("utf-8"))
        assert parser.errors == [], page


def test_every_picture_has_words_for_it(site: Path) -> None:
    for page in _pages(site):
        for image in tagged(page, "img"):
            formula = "math-image" in image.attributes.get("class", "")
            assert "alt" in image.attributes
            assert image.attributes["alt"] or formula, f"{page}: {image}"


def test_a_picture_is_headed_as_in_the_homework(site: Path) -> None:
    headings = [element.content for element in tagged(site / "index.html", "h4")]
    assert any(h.startswith("Index 4 (圖片 812) — sad 難過 網路預測：sad 難過") for h in headings)
    english = [element.content for element in tagged(site / "en" / "index.html", "h4")]
    assert any(h.startswith("Index 4 (image 812) — sad network: sad, ") for h in english)


def test_questions_carry_points_tag_and_collaborators(site: Path) -> None:
    headings = [element.content for element in tagged(site / "index.html", "h2")]
    assert "1. 顯著圖 (2%)" in headings
    assert "4. 自由發揮 (3%) 自由選題" in headings
    assert {e.content for e in classed(site / "index.html", "collaborators")} == {
        "(Collaborators: 無)"
    }


def test_a_failed_picture_is_shown_with_its_reason(site: Path) -> None:
    reasons = [element.content for element in classed(site / "index.html", "reason")]
    assert reasons == ["ValueError: logits are not finite"]


def test_notes_stand_in_their_order_with_their_verdict(site: Path) -> None:
    verdicts = [element.content for element in classed(site / "en" / "index.html", "verdict")]
    assert verdicts[:4] == [
        "Looks at the right place",
        "Partly the right place",
        "Looks at the wrong place",
        "Looks at the right place",
    ]


def test_citations_lead_to_the_numbered_reference(site: Path) -> None:
    citations = classed(site / "index.html", "citation")
    assert {c.attributes["href"]: c.content for c in citations} == {"#ref-1": "1", "#ref-2": "2"}


def test_facts_that_all_figures_share_are_said_once(site: Path) -> None:
    said = [e.content for e in tagged(site / "en" / "index.html", "dt")]
    assert said.count("Method") == 3  # saliency, lime, gradcam: once a block
    assert said.count("Largest value") == 7 + 6 + 4


def test_numbers_behind_a_map_can_be_read_back(site: Path) -> None:
    with np.load(site / "data" / "q1-1-4.npz") as stored:
        values = stored["map"]
    text = np.loadtxt(site / "data" / "q1-1-4-map.csv", delimiter=",").astype(np.float32)
    assert np.array_equal(values, text)


def test_a_picture_page_shows_every_explanation_and_where_it_is_used(site: Path) -> None:
    page = site / "en" / "image" / "812.html"
    assert [e.content for e in tagged(page, "h2")] == [
        "Saliency map",
        "Filter outputs",
        "LIME",
        "Grad-CAM",
    ]
    links = [e.attributes["href"] for e in tagged(page, "a")]
    assert "../../en/index.html#q1-1-4" in links


def test_the_first_page_is_under_a_megabyte(site: Path) -> None:
    page = site / "index.html"
    files = {
        page,
        *(
            site / e.attributes["href"]
            for e in tagged(page, "link")
            if e.attributes["rel"] == "stylesheet"
        ),
        *(site / e.attributes["src"] for e in tagged(page, "img")),
        *(site / "fonts").iterdir(),
        site / "script" / "site.js",
    }
    assert sum(file.stat().st_size for file in files) < 1_000_000
    assert (site / "script" / "site.js").stat().st_size < 40_000


def test_the_same_document_gives_the_same_bytes_elsewhere_and_without_a_cache(
    site: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other place"
    other.mkdir()
    render(sample(), other, templates=template_folders())
    mine, theirs = _contents(other), _contents(site)
    assert mine.keys() == theirs.keys()
    assert [path for path in mine if mine[path] != theirs[path]] == []


def test_one_language_has_no_switch_and_no_folder(tmp_path: Path, fonts: Path) -> None:
    render(sample(("en",)), tmp_path, templates=template_folders(), pdf=False, cache=fonts)
    assert not (tmp_path / "en").exists()
    assert not classed(tmp_path / "index.html", "languages")
    assert not classed(tmp_path / "index.html", "pdf")
    assert tagged(tmp_path / "index.html", "html")[0].attributes["lang"] == "en"


def test_columns_of_equal_length_are_one_table_with_their_names() -> None:
    arrays = {
        "epoch": np.arange(2.0),
        "loss": np.array([0.5, np.nan]),
        "map": np.zeros((2, 2)),
        "rate": np.array([1, 0, 1]),
    }
    first, second = columns_of(arrays)
    assert columns_csv(first) == b"epoch,loss\r\n0,0.5\r\n1,nan\r\n"
    assert columns_csv(second) == b"rate\r\n1\r\n0\r\n1\r\n"


def test_columns_of_figures_are_told_from_columns_of_words() -> None:
    table = Table(
        message("t"),
        ("Class", "Share", "Kind", "Count"),
        (("3", "97.9%", "first: 3", 1), ("b", "–", "1.2e-05", None)),
    )
    assert figure_columns(table) == (False, True, False, True)


def test_numbers_and_picture_of_a_figure_are_one_click_away(site: Path) -> None:
    page = site / "en" / "index.html"
    downloads = classed(page, "downloads")
    assert downloads
    html = page.read_text("utf-8")
    for folded in html.split("<details")[1:]:
        assert "download" not in folded.split("</details>")[0]
    figure = html.split('id="q1-1-4-figure"')[1].split("</figure>")[0]
    for name in ("data/q1-1-4-map.csv", "data/q1-1-4.npz", "figures/q1-1-4-map.png"):
        assert f'href="../{name}" download' in figure


def test_a_file_written_twice_leaves_the_site_that_it_was_linked_to_alone(tmp_path: Path) -> None:
    last, fresh = tmp_path / "last", tmp_path / "fresh"
    last.mkdir()
    (last / "index.html").write_bytes(b"published")
    files = Files(fresh, last)
    for content in (b"published", b"published", b"edited"):
        files.add("index.html", content)
    assert (fresh / "index.html").read_bytes() == b"edited"
    assert (last / "index.html").read_bytes() == b"published"
