"""The default report as its readers have it: every page type, language, scheme and width."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.browser.conftest import Open, Visit

PAGES = ("index.html", "confusion.html", "image/52.html", "network.html", "methods.html")
BOTH = [*PAGES, *(f"en/{page}" for page in PAGES)]
WIDTHS = (320, 1280, 1920)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MB, KB = 1_000_000, 1000

FAINT_FOCUS = """
() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour.startsWith("rgb(")) return colour;  // others let shine through what is below
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  const all = document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']");
  for (const element of all) {
    if (!element.checkVisibility()) continue;
    element.focus();
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    const [a, b] = [light(style.outlineColor), light(behind(element.parentElement))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const seen = element === document.activeElement && style.outlineStyle !== "none"
      && parseFloat(style.outlineWidth) >= 2 && contrast >= 3 && box.width >= 8 && box.height >= 8;
    if (!seen) faint.push(`${element.outerHTML.slice(0, 120)} ${style.outline} ${contrast}`);
  }
  return [all.length, faint];
}
"""


@pytest.mark.parametrize("page", BOTH)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visit_default: Open, page: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened, axe = visit_default(page), Axe()
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.page.locator("h1").count() == 1
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []  # from here on axe may ask for what the page's policy forbids
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            opened.page.emulate_media(color_scheme=scheme)
            found = axe.run(opened.page, options={"runOnly": RULES, "resultTypes": ["violations"]})
            assert found.violations_count == 0, f"{width}, {scheme}: {found.generate_report()}"


@pytest.mark.parametrize("page", PAGES)
def test_focus_is_seen_wherever_the_keyboard_leads(visit_default: Open, page: str) -> None:
    opened = visit_default(f"en/{page}")
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        opened.page.keyboard.press("Tab")  # from here on the browser shows where the focus is
        count, faint = opened.page.evaluate(FAINT_FOCUS)
        assert count > 5
        assert faint == [], scheme


@pytest.mark.parametrize("page", ["index.html", "en/index.html"])
@pytest.mark.parametrize("width", [320, 1280])
def test_what_a_reader_waits_for_is_small(
    visit_default: Open, default_site: Path, page: str, width: int
) -> None:
    opened = visit_default(page, width=width)
    opened.page.wait_for_load_state("networkidle")
    loaded = _files(opened, default_site)
    assert {"index.html", "site.css", "site.js"} <= {file.name for file in loaded}
    assert any(file.suffix == ".png" for file in loaded)
    assert sum(file.stat().st_size for file in loaded) < MB
    pictures = opened.page.locator("main img").count()
    assert sum(file.suffix == ".png" for file in loaded) < pictures, "some can wait"
    scripts = sum(file.stat().st_size for file in default_site.rglob("*.js"))
    assert 0 < scripts < 40 * KB
    assert opened.page.locator("script:not([src])").count() == 0


def _files(opened: Visit, site: Path) -> set[Path]:
    paths = [unquote(urlsplit(url).path) for url in opened.asked if url.startswith("file:")]
    assert all(Path(path).is_relative_to(site) for path in paths)
    return {Path(path) for path in paths}


@pytest.fixture
def served(default_site: Path) -> Iterator[str]:
    """The site below a path of a server, as GitHub Pages has it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

    folder = default_site.parent
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder.parent))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{quote(folder.name)}/site"
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_works_below_a_path_of_a_server(visit_default: Open, served: str) -> None:
    opened = visit_default("index.html", home=served)
    page = opened.page
    page.get_by_role("link", name="English").click()
    assert page.url == f"{served}/en/index.html"
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("[style*='opacity: 0.95']").count() == 1
    page.get_by_role("link", name="Confusion matrix").first.click()
    page.wait_for_load_state("networkidle")
    assert page.locator("main img").first.evaluate("image => image.complete && image.naturalWidth")
    assert opened.complaints == []
