"""Makes the README's pictures from the built default report: docs/images/report.png, thumbnails.

    make report && .venv/bin/python tools/readme_pictures.py

Two pages of the English PDF side by side, and for each analysis in it a picture or chart of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SITE, IMAGES = ROOT / "site", ROOT / "docs" / "images"
SIDE = 96  # of a thumbnail, in pixels
FACES = {
    "saliency": "q1-2-0-map",
    "lime": "q3-1-5-weights",
    "gradcam": "q4-2-5-overlay",
}
TILES = {"filters": "q2-1-1", "activations": "q2-2-3"}
CHARTS = {
    "confusion": ("Confusion matrix", "Predicted class", 1),
    "training": ("Training curves", "Epoch", 0.5),
}
"""A text above the chart, the name of its axis, and how much of the page's width it takes."""


def main() -> None:
    """Writes docs/images/report.png and docs/images/<analysis>.png."""
    report = pypdfium2.PdfDocument(SITE / "report.en.pdf")
    pages = [report[number].render(scale=1.2).to_pil() for number in (0, 2)]
    spread = Image.new("RGB", (sum(page.width for page in pages) + 12, pages[0].height), "#c9ced3")
    spread.paste(pages[0], (0, 0))
    spread.paste(pages[1], (pages[0].width + 12, 0))
    _save(_few_colours(spread), "report")
    for analysis, name in FACES.items():
        with Image.open(SITE / "figures" / f"{name}.png") as picture:
            _save(picture.resize((SIDE, SIDE), Image.Resampling.NEAREST), analysis)
    for analysis, part in TILES.items():
        _save(_tiles(part), analysis)
    for analysis, (above, below, share) in CHARTS.items():
        chart = _between(report, above, below, share)
        chart.thumbnail((SIDE * 2, SIDE), Image.Resampling.LANCZOS)
        _save(chart, analysis)


def _few_colours(picture: Image.Image) -> Image.Image:
    """``picture`` in 64 grays, so that faces stay gray, and the 192 best of its other colours."""
    pixels = np.asarray(picture).reshape(-1, 3)
    coloured = pixels[np.ptp(pixels.astype(int), axis=1) > 24]
    best = Image.fromarray(coloured[None]).quantize(192, Image.Quantize.MAXCOVERAGE)
    grays = [level for k in range(64) for level in (round(k * 255 / 63),) * 3]
    palette = Image.new("P", (1, 1))
    palette.putpalette(grays + (best.getpalette() or [])[: 192 * 3])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _tiles(part: str) -> Image.Image:
    """Four channels of a part, two by two."""
    half = SIDE // 2
    sheet = Image.new("L", (SIDE, SIDE), 255)
    for place, channel in enumerate((3, 4, 20, 26)):
        with Image.open(SITE / "figures" / f"{part}-{channel}.png") as picture:
            tile = picture.resize((half - 1, half - 1), Image.Resampling.NEAREST)
            sheet.paste(tile, (place % 2 * half, place // 2 * half))
    return sheet


def _between(report: pypdfium2.PdfDocument, above: str, below: str, share: float) -> Image.Image:
    """What stands between a text of a page and the next one down from it, cut to its ink."""
    for page in report:
        scale, headings = 3, _lines(page, above)
        labels = [line for line in _lines(page, below) if headings and line > headings[0]]
        if not labels:
            continue
        drawn = page.render(scale=scale).to_pil().convert("RGB")
        right, bottom = round(drawn.width * share), round((labels[0] + 1) * scale)
        part: Image.Image = drawn.crop((0, round((headings[0] + 6) * scale), right, bottom))
        ink = part.convert("L").point(lambda level: 255 if level < 235 else 0).getbbox()
        return part.crop(ink)
    raise SystemExit(f"the report has no {above!r} above {below!r}")


def _lines(page: pypdfium2.PdfPage, words: str) -> list[float]:
    """Where ``words`` end, in points from the top of ``page``, in order."""
    text, height = page.get_textpage(), page.get_height()
    found = text.search(words, match_case=True, match_whole_word=True)
    places = []
    while (place := found.get_next()) is not None:
        first, length = place
        places.append(height - min(text.get_charbox(first + k)[1] for k in range(length)))
    return sorted(places)


def _save(picture: Image.Image, name: str) -> None:
    picture.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
