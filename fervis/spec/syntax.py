"""YAML syntax errors in words that help: where it is, and what usually causes it."""

from __future__ import annotations

import re

import yaml

_TAB = re.compile(r"^ *\t")

_CAUSES = (
    (r"mapping values are not allowed",
     "a ':' stands where no key can be; is this line indented wrongly, or is it a text with ': ' "
     "in it (which has to be in quotes)?"),
    (r"sequence entries are not allowed",
     "a '- ' stands where no list can begin; put it on a line of its own, indented"),
    (r"found unexpected end of stream", "the quote that opens here is never closed"),
    (r"unknown escape character|hexdecimal|escape sequence",
     "in double quotes a backslash begins an escape; use single quotes for formulas and paths"),
    (r"expected alphabetic or numeric",
     "a text that begins with *, & or ! has to be in quotes"),
    (r"cannot start any token",
     "a text cannot begin with this character; put the text in quotes"),
    (r"expected ',' or '\]'", "the list that opens with [ is not closed; expected ',' or ']'"),
    (r"expected ',' or '\}'", "the mapping that opens with { is not closed; expected ',' or '}'"),
    (r"could not find expected ':'", "a ':' is missing after the key that begins here"),
    (r"expected key|expected <block end>|expected '-' indicator|<document start>",
     "this line is not indented like those it belongs to"),
    (r"node content", "a value is missing here; is a bracket or a quote not closed?"),
    (r"directive", "a line that begins with % has to be in quotes"),
    (r"block scalar|indentation indicator", "after | or > the text begins on the next line"),
)  # fmt: skip


def explained(error: yaml.YAMLError, text: str) -> tuple[int, int, str]:
    """Line and column (from 1) of a syntax error in ``text``, and what to do about it."""
    if not isinstance(error, yaml.MarkedYAMLError) or not (
        error.problem_mark or error.context_mark
    ):
        return 1, 1, "the file cannot be read as YAML"
    problem = error.problem or error.context or ""
    mark = error.problem_mark or error.context_mark
    if mark and (tab := _tab(text, mark.line)):
        return (*tab, "a tab is used for indentation, which YAML does not allow; use spaces")
    advice = next((words for pattern, words in _CAUSES if re.search(pattern, problem)), "")
    if any(words in advice for words in ("opens", "begins here", "begins with *")):
        mark = error.context_mark or mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return line, column, advice or f"this is not YAML: {problem}"


def _tab(text: str, line: int) -> tuple[int, int] | None:
    """The place of a tab in the indentation of ``line`` (from 0) or of the line before it."""
    lines = text.splitlines()
    for number in (line, line - 1):
        if 0 <= number < len(lines) and (found := _TAB.match(lines[number])):
            return number + 1, found.end()
    return None
