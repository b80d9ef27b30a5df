"""An author's Markdown: what it can do, and what it cannot do to a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from fervis.render import markdown, maths
from fervis.render.markdown import Markdown
from fervis.render.maths import FormulaError, formula, spoken
from tests.limits import frugal  # noqa: F401 (a fixture)
from tests.render.html import elements


def _markdown() -> Markdown:
    return Markdown(
        {"simonyan": 1, "selvaraju": 2},
        lambda latex, display: Markup("<m>{}|{}</m>").format(latex, display),
    )


@pytest.mark.parametrize("inline", [True, False])
@given(
    st.one_of(
        st.from_regex(markdown._PLAIN, fullmatch=True),
        st.text(st.sampled_from("ab7 甲乙。，.-&:!()'\"é①〇 "), max_size=12).map("x{}".format),
        st.lists(
            st.sampled_from(["甲", " ", "a", "1. ", "- ", "[@simonyan]", "[@no; @selvaraju]", "& "])
        ).map("".join),
        st.text("\n\r\t \u2028\x1c", max_size=3).map("a [@simonyan;{}@selvaraju]".format),
    )
)
@example("A[@0;\r\r@0]")
def test_plain_words_are_as_the_parser_has_them(inline: bool, source: str) -> None:
    short = _markdown()._render(source, inline)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "_PLAIN", re.compile("(?!)"))
        assert short == _markdown()._render(source, inline)


def test_plain_words_need_no_parser() -> None:
    """Of what students write most."""
    for source in (
        "The lowered brows (together 32%/6%), [@simonyan]: here the eyes do count!",
        "拉開的嘴（16%/5%）、右頰與雙眼；動過的部位占 65%/24%，是七張中最集中的。",
        'Simonyan, K., & Zisserman, A. (2013). "Deep inside".',
    ):
        assert markdown._PLAIN.fullmatch(source), source


def test_tables_lists_and_emphasis() -> None:
    html = _markdown().block("**a** *b* `c`\n\n| x | y |\n|:--|--:|\n| 1 | 2 |\n\n1. one\n2. two")
    assert "<strong>a</strong> <em>b</em> <code>c</code>" in html
    assert html.count('scope="col"') == 2
    assert 'style="text-align:right"' in html
    assert "<li>two</li>" in html


def test_a_folded_line_of_chinese_leaves_no_gap_and_other_blanks_stay() -> None:
    html = _markdown().block("好處是 解析度，見 conv2 層。 其次 two words `甲 乙`")
    assert "好處是解析度，見 conv2 層。其次 two words" in html
    assert "<code>甲 乙</code>" in html


def test_headings_become_bold_lines_so_that_the_outline_stays_in_order() -> None:
    html = _markdown().block("# One\n\ntext\n\n### Two")
    assert {e.tag for e in elements(html)} == {"p"}
    assert '<p class="subhead">One</p>' in html


def test_formulas_in_a_line_and_on_their_own() -> None:
    html = _markdown().block("where $x_1 < y$ holds\n\n$$\\sum_i *a* i$$")
    assert "where <m>x_1 &lt; y|False</m> holds" in html
    assert "<m>\\sum_i *a* i|True</m>" in html


@pytest.mark.parametrize("text", ["costs $5 and $6", "a $ b $ c", "\\$x\\$", "$$", "100$"])
def test_money_is_no_formula(text: str) -> None:
    assert "<m>" not in _markdown().inline(text)


def test_citations_are_numbers_that_link() -> None:
    html = _markdown().inline("as shown [@simonyan; @selvaraju]")
    assert html == (
        'as shown [<a class="citation" href="#ref-1">1</a>, '
        '<a class="citation" href="#ref-2">2</a>]'
    )
    assert _markdown().inline("see [@nobody]") == "see [@nobody]"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](data:text/html,<script>)",
    "[a](file:///etc/passwd)",
    "[a](../secret)",
    "[a](//evil.example/x)",
    "![a](http://evil.example/x.png)",
    "<javascript:alert(1)>",
    '[a](https://x.example "onclick=alert(1)")',
    "{{ 7 * 7 }}",
    "<a href='javascript:alert(1)'>x</a>",
    "[a]: javascript:alert(1)\n\n[a]",
    "`<svg onload=alert(1)>`",
    "&#60;script&#62;",
    "\ue0000\ue001",
    "<style>*{display:none}</style>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    for html in (_markdown().block(text), _markdown().inline(text)):
        for element in elements(html):
            assert element.tag in {"p", "a", "code", "m", "pre"}
            assert not any(name.startswith("on") for name in element.attributes)
            assert element.attributes.get("href", "https:").startswith(("https:", "http:"))
            assert element.tag != "img"


def test_direction_overrides_and_control_characters_are_dropped() -> None:
    html = _markdown().block("a\u202eb\u2066c\x00d\u200be\x1bf &#x202e;g")
    assert html == "<p>abcdef g</p>\n"
    assert not set(html) & set("\u202e\u2066\x00\u200b\x1b")


def test_deep_nesting_and_long_lines_end_quickly() -> None:
    for text in (">" * 5000 + "x", "[" * 5000, "*" * 20000, "$" * 5000, "- " * 3000, "`" * 9999):
        _markdown().block(text)


def test_a_formula_is_set_the_same_each_time_and_read_out(tmp_path: Path) -> None:
    latex = r"L^c_{\text{Grad-CAM}} = \mathrm{ReLU}\left(\sum_k \alpha_k^c A^k\right)"
    drawn = formula(latex, True)
    assert formula(latex, True, tmp_path) == drawn
    assert formula(latex, True, tmp_path / ".." / tmp_path.name) == drawn, "from its cache"
    assert 1 < drawn.height < 6, "a stretched fence must not fill the page"
    assert "<math" in drawn.mathml
    assert drawn.spoken == (
        "L to the c sub Grad-CAM = ReLU(sum sub k alpha sub k to the c A to the k )"
    )


@pytest.mark.parametrize(
    "latex",
    [
        r"\tag{<script>alert(1)</script>}x",
        r"\tag{<img src=x onerror=alert(1)>}x",
        r"\tag{<script>}x",
        r"\tag{<![CDATA[<script>]]>}x",
        r"\text{<b>bold</b>}",
        r"\href{javascript:alert(1)}{x}",
        r"\href{https://evil.example}{x}",
        r"\class{x}{y}",
        r"\style{color:red}{y}",
        r"\color{url(http://169.254.169.254/)}x",
    ],
)
def test_no_markup_gets_through_a_formula(latex: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that makes MathML passes some of it on."""
    with pytest.raises(FormulaError):
        formula(latex, True)
    monkeypatch.setattr(
        maths, "kept", lambda *_: json.dumps(["", f"<math>{latex}</math>", 1, 1, 0])
    )
    if "<" in latex:
        with pytest.raises(FormulaError):
            formula(latex, False)  # nor out of a cache


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{1}{" * 40 + "x" + "}" * 40,
        r"\left(" * 90 + "x" + r"\right)" * 90,
        "x^{" * 400 + "x" + "}" * 400,
        r"\sqrt{" * 60 + "x" + "}" * 60,
        r"\begin{matrix}" * 60 + "x" + r"\end{matrix}" * 60,
        r"\left(\sum_k " * 9 + "x" + r"\right)" * 9,
        "{" * 20 + "x" + "}" * 20,
    ],
)
@pytest.mark.usefixtures("frugal")
def test_a_formula_nested_without_end_is_refused_at_once(latex: str) -> None:
    """Its drawing would take twice as long for every level."""
    with pytest.raises(FormulaError):
        formula(latex, True)


@pytest.mark.usefixtures("frugal")
def test_a_formula_as_deep_as_any_in_a_report_is_set() -> None:
    nested = r"\frac{a_1}{1 + " * 5 + "x" + "}" * 5
    assert formula(rf"\sqrt{{\left( {nested} \right)^2}}", True).height > 1


@pytest.mark.parametrize("latex", ["", r"\frac{1", "{" * 3000, "x" * 9000, r"\left( x"])
def test_a_formula_that_cannot_be_set_says_so(latex: str) -> None:
    with pytest.raises(FormulaError):
        formula(latex, False)


def test_spoken_is_never_empty() -> None:
    assert spoken(r"\{\}") == r"\{\}"
    assert spoken(r"\frac{\partial y^c}{\partial x}") == "(∂ y to the c ) over (∂ x)"
