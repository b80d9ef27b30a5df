"""What the script adds, used by keyboard: blending, colour maps, zoom."""

from __future__ import annotations

from tests.browser.conftest import Open


def test_the_slider_lets_the_picture_shine_through_the_map(visit: Open) -> None:
    opened = visit("en/index.html")
    figure = opened.page.locator("#q1-1-4-figure")
    slider = figure.get_by_role("slider", name="Blend the map over the picture")
    slider.focus()
    for _ in range(10):
        opened.page.keyboard.press("ArrowLeft")
    map_, under = figure.locator(".panel-map img:not(.under)"), figure.locator("img.under")
    assert map_.evaluate("image => image.style.opacity") == "0.5"
    assert under.get_attribute("src").endswith("q1-1-4-picture.png")
    assert under.bounding_box() == map_.bounding_box()
    assert opened.complaints == []


def test_a_colour_map_is_chosen_for_all_maps_and_remembered(visit: Open) -> None:
    opened = visit("en/index.html")
    figure = opened.page.locator("#q1-1-4-figure")
    figure.get_by_role("radio", name="jet").focus()
    opened.page.keyboard.press("ArrowRight")
    for other in ("q1-1-4", "q4-3-3"):
        image = opened.page.locator(f"#{other}-figure .panel-map img:not(.under)")
        assert image.get_attribute("src").endswith(f"{other}-map-viridis.png")
        strip = opened.page.locator(f"#{other}-figure .strip")
        link = opened.page.locator(f"#{other}-figure").get_by_role("link", name="PNG")
        assert link.first.get_attribute("href").endswith(f"{other}-map-viridis.png")
        assert "scale-viridis.png" in strip.evaluate("strip => strip.style.backgroundImage")
    opened.page.reload()
    assert figure.get_by_role("radio", name="viridis").is_checked()
    assert figure.locator(".panel-map img:not(.under)").get_attribute("src").endswith("viridis.png")
    assert opened.complaints == []


def test_a_picture_opens_large_and_closes_by_escape(visit: Open) -> None:
    opened = visit("en/index.html", width=320)
    link = opened.page.locator("#q1-1-4-figure .panel-overlay a.zoom")
    link.focus()
    opened.page.keyboard.press("Enter")
    dialog = opened.page.get_by_role("dialog")
    assert dialog.locator("img").bounding_box()["width"] > 200
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 320
    opened.page.keyboard.press("Escape")
    assert dialog.count() == 0
    assert link.evaluate("element => element === document.activeElement")
    assert opened.complaints == []
