"""Type: fonts cut to what is used, drawn with outlines that every viewer shows."""

from __future__ import annotations

import io
from pathlib import Path

import platformdirs
import pytest
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from fervis.render import seal
from fervis.render.bold import grown
from fervis.render.type import Type, subset, type_for

TEXT = "<p>難過 sad é <strong>眉毛</strong> &hellip; 🤖 Ж</p>"


def _font(content: bytes) -> TTFont:
    return TTFont(io.BytesIO(content))


def _packed(made: Type, cache: Path | None) -> dict[str, bytes]:
    return {path: font.result() for path, font in made.packed(cache).items()}


def test_fonts_hold_the_characters_used_and_hardly_more(tmp_path: Path) -> None:
    made = type_for([TEXT], tmp_path)
    packed = _packed(made, tmp_path)
    with (
        _font(packed["fonts/sans.woff2"]) as sans,
        _font(packed["fonts/strong.woff2"]) as strong,
    ):
        codes = set(sans.getBestCmap())
        assert {ord(c) for c in "難過sadé…Ж"} <= codes
        assert len(codes) < 140
        assert {ord(c) for c in "眉毛"} <= set(strong.getBestCmap())
        assert ord("難") not in strong.getBestCmap()
        assert "glyf" in sans
        assert "CFF " not in sans
    assert made.missing == {"🤖"}
    assert made.spelled("a🤖\ufe0f難") == "a[U+1F916]難"


def test_the_same_characters_give_the_same_font_with_and_without_a_cache(tmp_path: Path) -> None:
    fresh = subset("serif", "難過sad")
    assert fresh == subset("serif", "sad過難")
    first, second = type_for([TEXT], tmp_path), type_for([TEXT], tmp_path)
    assert first == second == type_for([TEXT], None)
    assert _packed(first, tmp_path) == _packed(second, tmp_path) == _packed(first, None)


def test_a_font_is_the_same_whether_its_outlines_were_known_or_not(tmp_path: Path) -> None:
    for kind in ("serif", "sans", "strong"):
        for wanted in ("難過sad·", "難過sad·眉×", "眉é"):
            assert subset(kind, wanted, tmp_path) == subset(kind, wanted), (kind, wanted)


def test_a_new_character_turns_its_own_outline_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    glyph = TTGlyphPen.glyph

    def spy(self: TTGlyphPen, *how: object) -> object:
        drawn.append(self)
        return glyph(self, *how)

    monkeypatch.setattr(TTGlyphPen, "glyph", spy)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "home")
    seal._key.cache_clear()
    subset("sans", "難過sad", tmp_path)
    assert len(drawn) == 6  # and the one of what is missing
    drawn.clear()
    subset("sans", "難過sad眉", tmp_path)
    assert len(drawn) == 1
    seal._key.cache_clear()


def test_a_damaged_font_in_the_cache_is_made_again(tmp_path: Path) -> None:
    good = type_for([TEXT], tmp_path)
    packed = _packed(good, tmp_path)
    for file in (tmp_path / "kept").iterdir():
        file.write_bytes(file.read_bytes()[:-7])
    assert type_for([TEXT], tmp_path) == good
    assert _packed(good, tmp_path) == packed


def test_symbols_come_from_another_font_only_where_the_chinese_one_has_none(
    tmp_path: Path,
) -> None:
    assert "fonts/symbols.woff2" not in type_for(["<p>難過</p>"], tmp_path).unpacked
    made = type_for(["<p>שלום 😀</p>"], tmp_path)
    with _font(made.unpacked["fonts/symbols.woff2"]) as symbols:
        assert set(symbols.getBestCmap()) == {ord(c) for c in "שלום😀"}
    assert not made.missing


def test_a_square_grows_to_all_sides_and_its_hole_shrinks() -> None:
    square = [(0, 0), (0, 10), (10, 10), (10, 0)]  # clockwise, as ink is drawn
    assert [(round(x), round(y)) for x, y in grown(square, 1)] == [
        (-1, -1),
        (-1, 11),
        (11, 11),
        (11, -1),
    ]
    hole = square[::-1]
    assert [(round(x), round(y)) for x, y in grown(hole, 1)] == [(9, 1), (9, 9), (1, 9), (1, 1)]


def test_a_times_sign_is_no_wider_than_it_is_between_digits_elsewhere() -> None:
    with _font(subset("sans", "×·0難")) as font:
        codes, widths = font.getBestCmap(), font["hmtx"].metrics
        digit, square = widths[codes[ord("0")]][0], widths[codes[ord("難")]][0]
        assert widths[codes[ord("×")]][0] < 1.2 * digit < square
        assert widths[codes[ord("·")]][0] < digit
