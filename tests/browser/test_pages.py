"""Every type of page in a real browser: quiet, accessible, and no wider than the screen."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open

PAGES = ("index.html", "image/812.html", "network.html", "methods.html", "confusion.html")
WIDTHS = (320, 1280, 1920)


@pytest.mark.parametrize("page", [*PAGES, *(f"en/{page}" for page in PAGES)])
def test_a_page_opens_from_a_file_without_a_complaint_and_fits(visit: Open, page: str) -> None:
    opened = visit(page)
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate("[...document.fonts].every(font => font.status !== 'error')")
    assert opened.page.evaluate(
        "document.fonts.check('16px \"Fervis Sans\"', '難') && document.fonts.size >= 3"
    )
    assert opened.complaints == []


@pytest.mark.parametrize("page", [*PAGES, "en/index.html"])
def test_axe_finds_nothing_in_either_scheme(visit: Open, page: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = visit(page)
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        found = Axe().run(
            opened.page,
            options={
                "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            },
        )
        assert found.violations_count == 0, found.generate_report()


def test_every_picture_can_be_seen_without_scripts(visit: Open) -> None:
    opened = visit("index.html", scripts=False)
    assert opened.page.locator("figure img").count() == (7 + 6 + 4) * 3 + 64
    opened.page.locator("figure img").last.scroll_into_view_if_needed()
    assert opened.page.locator(".controls").count() == 0
    assert opened.page.locator("a.zoom").first.get_attribute("href") == "figures/q1-1-0-picture.png"
    assert opened.complaints == []


def test_the_keyboard_reaches_the_content_past_the_menu(visit: Open) -> None:
    opened = visit("en/index.html")
    opened.page.keyboard.press("Tab")
    skip = opened.page.locator(".skip")
    assert skip.evaluate("element => element === document.activeElement")
    assert skip.bounding_box()["width"] > 50, "a focused link must be visible"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "content"


def test_language_and_pages_can_be_changed_and_stay_in_the_language(visit: Open) -> None:
    page = visit("image/812.html").page
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").inner_text() == "Image 812 — sad"
    page.get_by_role("link", name="The network").click()
    assert page.locator("h1").inner_text() == "The network"
    page.get_by_role("link", name="繁體中文").click()
    assert page.locator("h1").inner_text() == "網路"
