"""The PDF: HTML set on A4 by WeasyPrint, tagged, with nothing read from outside the site."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fervis.render.errors import PdfError

ORIGIN = "https://site.invalid/"
"""Where the site seems to lie: WeasyPrint puts a digest of each address into the PDF, and the
folder's own name must not change it."""
_PRINTED = 4  # annotation flag "Print", which PDF/UA asks of links


def pdf_bytes(
    html: str,
    css: str,
    folder: Path,
    identifier: bytes,
    instead: Mapping[str, Path] | None = None,
) -> bytes:
    """``html`` styled by ``css`` as PDF; what it links to must lie in ``folder``.

    ``instead`` names files outside that are read in place of some of the folder's, by path. The
    same input gives the same bytes. Raises PdfError with every error that WeasyPrint logs: a
    missing picture, a missing alternative text, a character that no font has.
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher = site_fetcher(folder, instead or {})
    fonts = FontConfiguration()
    with _complaints() as complaints:
        sheets = [
            CSS(url=f"{ORIGIN}style/fonts.css", font_config=fonts, url_fetcher=fetcher),
            CSS(string=css, base_url=ORIGIN, font_config=fonts, url_fetcher=fetcher),
        ]
        document = HTML(string=html, base_url=ORIGIN, url_fetcher=fetcher)
        content = document.write_pdf(
            stylesheets=sheets,
            font_config=fonts,
            pdf_variant="pdf/ua-1",
            pdf_identifier=identifier.hex().encode()[:16],
            finisher=_finish,
        )
    if complaints:
        raise PdfError("the PDF is not as it should be:\n" + "\n".join(complaints))
    return bytes(content)


def site_fetcher(folder: Path, instead: Mapping[str, Path] | None = None) -> Any:
    """A WeasyPrint fetcher that reads data: URLs and, under ORIGIN, the files of ``folder``.

    Nothing else: no network, no file outside, no link out of the folder. Raises ValueError, which
    WeasyPrint logs as an error.
    """
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    root, others = folder.resolve(), instead or {}

    class SiteFetcher(URLFetcher):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(allowed_protocols={"data"}, allow_redirects=False)

        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith(ORIGIN):
                return super().fetch(url, headers)
            name = unquote(urlsplit(url).path).lstrip("/")
            path = others.get(name) or (root / name).resolve()
            if not (name in others or path.is_relative_to(root)) or not path.is_file():
                raise ValueError(f"not a file of the site: {url.removeprefix(ORIGIN)}")
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})

    return SiteFetcher()


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collects what WeasyPrint logs as an error, and every character without a glyph."""
    logger = logging.getLogger("weasyprint")
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.levelno >= logging.ERROR or ".notdef" in text:
                found.append(text)

    listener, level, propagate = Listener(logging.WARNING), logger.level, logger.propagate
    others = logger.handlers[:]
    logger.handlers, logger.propagate = [listener], False
    logger.setLevel(logging.WARNING)
    try:
        yield found
    finally:
        logger.handlers, logger.propagate = others, propagate
        logger.setLevel(level)


def _finish(_document: Any, pdf: Any) -> None:
    """Adds what PDF/UA asks for and WeasyPrint leaves out: Scope of headers, Print of links."""
    import pydyf  # type: ignore[import-untyped]

    by_number = {item.number: item for item in pdf.objects if isinstance(item, pydyf.Dictionary)}
    for item in by_number.values():
        if item.get("Subtype") == "/Link":
            item["F"] = _PRINTED
        if item.get("S") == "/TR":
            kids = [by_number.get(number) for number in _references(item["K"])]
            cells = [kid for kid in kids if kid and kid.get("S") in ("/TH", "/TD")]
            column = all(cell["S"] == "/TH" for cell in cells)
            for cell in cells:
                if cell["S"] == "/TH":
                    layout = cell.setdefault("A", pydyf.Dictionary({"O": "/Table"}))
                    layout["Scope"] = "/Column" if column else "/Row"


def _references(kids: Any) -> Iterator[int]:
    for kid in kids:
        if isinstance(kid, bytes):
            yield int(kid.split()[0])
