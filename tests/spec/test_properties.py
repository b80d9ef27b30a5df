"""Whatever is in the file: a report or complaints, never another exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fervis.errors import Complaint, ReportError
from fervis.spec.phrases import did_you_mean, listed, quoted
from fervis.spec.report import Report
from fervis.spec.scalars import plain_value
from tests.spec.registry import GOOD, load
from tests.times import TIMES

FOLDER = Path(tempfile.mkdtemp(prefix="fervis-test-"))
LINES = GOOD.splitlines()
WORDS = st.sampled_from([
    "version", "title", "languages", "author", "data", "model", "images", "questions", "answer",
    "references", "kind", "faces", "saliency", "filters", "layer", "notes", "text", "math", "all",
    "same as question 1", "auto", "label", "value", "key", "url", "verdict", "right", "en",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.integers(-1, 3) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)
PATHS = ["title", "languages", "author", "data", "model", "images", "seed", "references",
         "questions", "questions[0]", "questions[0].answer", "questions[0].answer[0]",
         "questions[0].answer[0].saliency", "questions[0].answer[0].saliency.images",
         "questions[0].answer[0].notes", "questions[0].answer[1].filters"]  # fmt: skip


def ends_well(content: str | bytes, *overrides: str) -> None:
    complaints: tuple[Complaint, ...] = ()
    try:
        assert isinstance(load(FOLDER, content, *overrides), Report)
    except ReportError as error:
        complaints = error.complaints
    for complaint in complaints:
        assert complaint.message
        assert str(complaint).isprintable()


@settings(max_examples=80 * TIMES, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    ends_well(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=50 * TIMES, deadline=None)
@given(st.binary())
def test_any_bytes(content: bytes) -> None:
    ends_well(content)


@settings(max_examples=100 * TIMES, deadline=None)
@given(st.text(alphabet=" \t\n-:?[]{}|>&*!%@`'\"#,~0a\\é中", max_size=40))
def test_any_yaml_punctuation(text: str) -> None:
    ends_well(text)


@settings(max_examples=150 * TIMES, deadline=None)
@given(st.sampled_from(PATHS), VALUES)
def test_any_value_at_any_place(path: str, value: object) -> None:
    ends_well(GOOD, f"{path}={yaml.safe_dump(value, default_flow_style=True, allow_unicode=True)}")


@settings(max_examples=100 * TIMES, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=8))
def test_any_mapping_of_likely_words(value: object) -> None:
    ends_well(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=100 * TIMES, deadline=None)
@given(st.data())
def test_a_good_report_with_a_damaged_line(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(LINES) - 1))
    line = LINES[number]
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    damaged = line[:start] + data.draw(st.text(max_size=5)) + line[end:]
    text = "\n".join([*LINES[:number], damaged, *LINES[number + 1 :]])
    ends_well(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=80 * TIMES, deadline=None)
@given(st.text(max_size=30))
def test_any_override(text: str) -> None:
    ends_well(GOOD, text)


@settings(max_examples=200 * TIMES, deadline=None)
@given(st.text(alphabet="0123456789+-._exoinfaNTrulse~ :", max_size=45))
def test_a_plain_scalar_is_a_value_or_its_own_text(literal: str) -> None:
    value = plain_value(literal)
    assert value == literal or not isinstance(value, str)
    if isinstance(value, int) and not isinstance(value, bool) and not literal.startswith("0"):
        assert value == int(literal, 0 if "x" in literal or "o" in literal else 10)


@given(st.text(), st.lists(st.text()))
def test_words_for_a_terminal_are_one_printable_line(text: str, names: list[str]) -> None:
    assert quoted(text).isprintable()
    assert len(quoted(text)) < 1000
    did_you_mean(text, names)
    listed(names)
