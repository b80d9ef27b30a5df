"""One Chromium and one site for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fervis.render import render, template_folders
from tests.render.sample import sample

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """A real browser; where there is none the tests are skipped, but never in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if not found:
        reason = "no Chromium or no playwright: apt-get install chromium, pip install playwright"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as a site under a path with a blank and Chinese in it."""
    folder = tmp_path_factory.mktemp("網 站")
    render(sample(), folder, templates=template_folders(), pdf=False)
    return folder


class Visit:
    """A page of the site as a reader has it, and what it did that it should not have done."""

    def __init__(self, page: Any, home: str) -> None:
        self.page, self.home = page, home
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        self.asked.append(request.url)
        if not request.url.startswith((self.home, "data:,")):
            self.complaints.append(f"asked for {request.url}")


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Any, site: Path) -> Iterator[Open]:
    """visit("index.html", width=320, scheme="dark", scripts=True) opens a page from file://."""
    yield from _opening(browser, site.as_uri())


@pytest.fixture
def visit_default(browser: Any, default_site: Path) -> Iterator[Open]:
    """The same for the default report."""
    yield from _opening(browser, default_site.as_uri())


def _opening(browser: Any, home: str) -> Iterator[Open]:
    contexts = []

    def open_page(
        path: str,
        width: int = 1280,
        scheme: str = "light",
        scripts: bool = True,
        home: str = home,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        opened = Visit(context.new_page(), home)
        opened.page.goto(f"{home}/{path}", wait_until="load")
        return opened

    yield open_page
    for context in contexts:
        context.close()
