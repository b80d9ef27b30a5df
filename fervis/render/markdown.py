"""An author's Markdown as safe HTML: CommonMark and tables, formulas, citations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from fervis.render.maths import FormulaError
from fervis.render.safe import SENTINELS, neutral

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_OPEN, _CLOSE = SENTINELS[0], SENTINELS[1]
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_LONGEST = 100_000
_CITATION = re.compile(r"\[(@[\w:.-]+(?:\s*;\s*@[\w:.-]+)*)\]")
_PLAIN = re.compile(
    r"[^\W\d_](?:[^\W_]|[ ,.;:!?'\"()%/–—…·‘’“”、，。；：！？「」『』（）-]|& |"
    r"\[@[\w:.-]+(?: *; *@[\w:.-]+)*\])*"
)
"""One line of words, figures and marks that mean nothing in Markdown, and of citations, where
no blank but the space stands: two ends of lines within a citation would part paragraphs."""
_TAGS = {
    "p",
    "br",
    "hr",
    "em",
    "strong",
    "s",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "p": {"class"},
    "th": {"scope", "style"},
    "td": {"style"},
}
_WIDE = r"[\u3001-\u30ff\u3400-\u9fff\uff01-\uffef]"
_FOLD = re.compile(rf"(?<={_WIDE})[ \n](?={_WIDE})")
"""Where a line of Chinese or Japanese was folded: YAML and Markdown leave a blank there."""
_LINKS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_ALIGNED = re.compile(r"text-align:\s?(left|right|center)")

MathHtml = Callable[[str, bool], Markup]
"""LaTeX and whether it stands alone → HTML."""


def _math_rule(state: StateInline, silent: bool) -> bool:
    """``$…$`` and ``$$…$$``: an inner edge is never a blank, a closing $ before no digit."""
    source, start = state.src, state.pos
    if source[start] != "$":
        return False
    fence = "$$" if source.startswith("$$", start) else "$"
    end = source.find(fence, start + len(fence))
    while end > 0 and source[end - 1] == "\\":
        end = source.find(fence, end + 1)
    body = source[start + len(fence) : end] if end > 0 else ""
    after = source[end + len(fence) : end + len(fence) + 1] if end > 0 else ""
    single = fence == "$"
    if not body.strip() or (single and (body != body.strip() or after.isdigit())):
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content, token.meta = body, {"display": not single}
    state.pos = end + len(fence)
    return True


def _citation_rule(state: StateInline, silent: bool) -> bool:
    """``[@key]`` and ``[@one; @two]``."""
    if state.src[state.pos] != "[":
        return False
    found = _CITATION.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        token = state.push("citation", "", 0)
        token.content = found[1]
    state.pos = found.end()
    return True


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 40})
    parser.enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline"])
    parser.inline.ruler.before("escape", "math", _math_rule)
    parser.inline.ruler.before("link", "citation", _citation_rule)
    return parser


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """Drops what could lead out of the page: relative, script and file links, odd styles."""
    if name == "href":
        return value if _LINKS.match(value) else None
    if name == "style":
        return value if _ALIGNED.fullmatch(value.rstrip(";")) else None
    return value


def _tame(tokens: Sequence[Token]) -> None:
    """Headings become bold lines, so that the page's own outline stays in order."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "subhead")
        elif token.type == "th_open":
            token.attrSet("scope", "col")


class Markdown:
    """Turns an author's texts into HTML. ``numbers`` maps a reference's key to its number."""

    def __init__(self, numbers: Mapping[str, int], math_html: MathHtml, root: str = "") -> None:
        self._numbers = numbers
        self._math_html = math_html
        self._root = root

    def block(self, source: str) -> Markup:
        """Paragraphs, lists, tables, …"""
        return self._render(source, inline=False)

    def inline(self, source: str) -> Markup:
        """One line, with no paragraph around it."""
        return self._render(source, inline=True)

    def _render(self, source: str, inline: bool) -> Markup:
        source = neutral(source)[:_LONGEST]
        if _PLAIN.fullmatch(source) and not source.endswith(" "):
            return self._plain(source, inline)
        import nh3

        parser, kept = _parser(), list[Markup]()
        env: dict[str, Any] = {}
        tokens = parser.parseInline(source, env) if inline else parser.parse(source, env)
        _tame(tokens)
        for token in tokens:
            for child in token.children or ():
                if child.type in ("math", "citation"):
                    kept.append(self._special(child))
                    child.type, child.content = "text", f"{_OPEN}{len(kept) - 1}{_CLOSE}"
                elif child.type == "text":
                    child.content = _FOLD.sub("", child.content)
        html = parser.renderer.render(tokens, parser.options, env)
        clean = nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            attribute_filter=_attribute,
            link_rel="noopener noreferrer",
            url_schemes={"http", "https", "mailto"},
        )
        filled = _MARK.sub(lambda mark: kept[int(mark[1])], clean)
        return Markup(neutral(filled))  # noqa: S704 - sanitised just now

    def _plain(self, source: str, inline: bool) -> Markup:
        """As the parser would have it, which takes thirty milliseconds to import."""
        pieces = _CITATION.split(source)
        pieces[::2] = [_FOLD.sub("", words).replace("&", "&amp;") for words in pieces[::2]]
        pieces[1::2] = map(self._citation, pieces[1::2])
        html = "".join(pieces)
        return Markup(html if inline else f"<p>{html}</p>\n")  # noqa: S704 - plain words

    def _special(self, token: Token) -> Markup:
        if token.type == "citation":
            return self._citation(token.content)
        return self._math_html(token.content, bool(token.meta["display"]))

    def _citation(self, cited: str) -> Markup:
        keys = [key.strip().lstrip("@") for key in cited.split(";")]
        if not all(key in self._numbers for key in keys):
            return escape("[" + "; ".join(f"@{key}" for key in keys) + "]")
        link = Markup('<a class="citation" href="{}#ref-{}">{}</a>')
        links = [link.format(self._root, self._numbers[k], self._numbers[k]) for k in keys]
        return Markup("[{}]").format(Markup(", ").join(links))


def math_failed(latex: str, error: FormulaError) -> Markup:
    """A formula that cannot be set, shown as it was written."""
    return Markup('<code class="bad-math" title="{}">{}</code>').format(str(error), latex)
