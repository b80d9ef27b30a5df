import re
from html import unescape

import numpy as np
import pytest

from fervis.draw import chart
from fervis.draw.figure import Panel
from fervis.draw.svg import tidy
from fervis.text import Text, message

SHARES = np.array([[0.9, 0.1], [np.nan, np.nan]])
NOTES = [[("90%", "9"), ("10%", "1")], [("–",), ("–",)]]


@pytest.fixture(scope="module")
def heat() -> str:
    svg, _ = chart.heatmap(SHARES, NOTES, ["cats & dogs", "owls"], rows="True", columns="Guess")
    return svg


def test_a_chart_is_the_same_bytes_twice(heat):
    again, _ = chart.heatmap(SHARES, NOTES, ["cats & dogs", "owls"], rows="True", columns="Guess")
    assert again == heat


def test_a_chart_brings_no_id_style_sheet_or_font_into_the_page(heat):
    assert heat.startswith("<svg")
    assert not re.search(r"\bid=|<style|style=|url\(|font-family|<!--|DejaVu", heat)
    assert "currentColor" in heat


def test_every_cell_says_its_note(heat):
    assert re.findall(r">([^<]+)</text>", heat).count("–") == 2
    assert ">90%</text>" in heat


def test_words_of_a_chart_are_put_into_the_readers_language(heat):
    panel = Panel(
        "chart",
        "chart",
        message("t"),
        message("a"),
        560,
        300,
        svg=heat,
        words={
            "cats & dogs": Text({"en": "cats & dogs", "de": "Katzen & <Hunde>"}),
            "Guess": message("Guess"),
        },
    )
    said = panel.svg_in_words_of(
        lambda word: word.in_language("de") if isinstance(word, Text) else "Tipp"
    )
    assert said.count(">Katzen &amp; &lt;Hunde&gt;</text>") == 2
    assert ">Tipp</text>" in said
    assert ">owls</text>" in said


def test_curves_name_every_line_and_leave_gaps():
    lines = {"loss a": np.array([1.0, np.nan, 0.5]), "loss b": np.array([1.0, 0.7, 0.6])}
    svg, height = chart.curves(np.arange(3.0), lines, x_title="epoch", y_title="loss")
    assert {"loss a", "loss b", "epoch", "loss"} <= set(re.findall(r">([^<]+)</text>", svg))
    assert height > 0


def test_tidy_refuses_a_drawing_that_needs_its_ids():
    with pytest.raises(ValueError, match="ids"):
        tidy('<svg xmlns="http://www.w3.org/2000/svg"><g clip-path="url(#p)"/></svg>')


@pytest.mark.parametrize("name", ["$x^2$", "$\\bad{$", "<b>&", "{{ 1 }}", "\\n"])
def test_a_name_is_drawn_as_it_is_written(name: str) -> None:
    svg, _ = chart.curves(np.arange(3.0), {name: np.arange(3.0)}, x_title="x", y_title="y")
    assert name in texts(svg)
    svg, _ = chart.heatmap(
        np.eye(2), [[("1",)] * 2] * 2, [name, "other"], rows="rows", columns="columns"
    )
    assert name in texts(svg)


def texts(svg: str) -> list[str]:
    return [unescape(text) for text in re.findall(r">([^<]+)</text>", svg)]


def test_groups_that_say_nothing_and_paths_that_paint_nothing_are_left_out(heat: str) -> None:
    assert "<g>" not in heat
    assert not re.findall(r'<path [^>]*fill="none"(?![^>]*stroke)', heat)
    assert tidy(
        '<svg xmlns="http://www.w3.org/2000/svg">'
        '<g id="a"><g opacity="0.5"><g id="b"><path d="a" style="fill: none"/><path d="b"/></g></g>'
        '<g style="stroke: red"><path d="c" style="fill: none"/></g>'
        '<path d="d" style="fill: none; stroke: red"/></g><text>x</text></svg>'
    ).strip() == (
        '<svg xmlns="http://www.w3.org/2000/svg" stroke-linejoin="round" stroke-linecap="butt">'
        '<g opacity="0.5"><path d="b" /></g>'
        '<g stroke="red"><path d="c" fill="none" /></g>'
        '<path d="d" fill="none" stroke="red" /><text>x</text></svg>'
    )
