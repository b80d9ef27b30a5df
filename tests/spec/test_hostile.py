"""Files that are no reports: refused with a place and a way out, at once, and never a crash."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fervis.errors import Complaint, ReportError
from fervis.spec.source import LARGEST
from tests.limits import frugal  # noqa: F401 (a fixture)
from tests.spec.registry import GOOD, complaints, load, only, with_line, with_part

pytestmark = pytest.mark.usefixtures("frugal")

NUMBER = 300_000

REFUSED = [
    # what, the file, the place, what the message has to name
    ("an alias", "version: &v 1\ntitle: x\nseed: *v\n", "1:10", "anchor"),
    ("an alias alone", "seed: *v\n", "1:7", "alias"),
    ("markdown taken for an alias", "title: **bold**\n", "1:8", "quotes"),
    ("a tag", "title: !!python/object/apply:os.system ['id']\n", "1:8", "tag"),
    ("a tag of YAML's own", "title: !!str 5\n", "1:8", "tag"),
    ("deep flow lists", "[" * 100_000, "1:51", "nested"),
    ("deep flow mappings", "{a: " * 100_000, "1:198", "nested"),
    ("deep block lists", "- " * 100_000, "1:101", "nested"),
    ("deep block mappings", "\n".join(" " * n + "a:" for n in range(1300)), "50:50", "nested"),
    ("a NUL byte", b"version: 1\ntitle: a\0b\n", "2:9", "NUL"),
    ("a NUL escape", 'title: "a\\0b"\n', "1:8", "U+0000"),
    ("a control character", b"title: a\x07b\n", "1:9", "U+0007"),
    ("an escape by accident", 'title: "\\frac{1}{2}"\n', "1:8", "single quotes"),
    ("an unknown escape", 'title: "\\cdot"\n', "1:9", "single quotes"),
    ("another encoding", "title: a\nseed: 生氣\n".encode("big5"), "2:7", "UTF-8"),
    ("UTF-16", "title: x\n".encode("utf-16"), "1:1", "UTF-16"),
    ("UTF-16 without its mark", "title: x\n".encode("utf-16-le"), "1:2", "NUL"),
    ("UTF-32", "title: x\n".encode("utf-32"), "1:1", "UTF-16"),
    ("GBK", "title: 情绪\n".encode("gbk"), "1:8", "UTF-8"),
    ("Latin-1", "title: é\n".encode("latin-1"), "1:8", "UTF-8"),
    ("a tab as indentation", "model:\n\tkind: default\n", "2:1", "tab"),
    ("a tab after spaces", "model:\n  kind: default\n  \tsize: 48\n", "3:3", "tab"),
    ("two documents", "version: 1\n---\nversion: 1\n", "2:1", "document"),
    ("nothing", "", "1:1", "empty"),
    ("only comments", "# one\n# two\n", "1:1", "empty"),
    ("an open quote", "title: 'abc\nseed: 1\n", "1:8", "never closed"),
    ("an open list", "title: [a, b\nseed: 1\n", "1:8", "not closed"),
    ("an open mapping", "title: {a: b\nseed: 1\n", "1:8", "not closed"),
    ("a colon in a text", "title: one: two\n", "1:11", "quotes"),
    ("a text that begins with @", "title: @home\n", "1:8", "quotes"),
    ("a list on the line of its key", "questions: - title: x\n", "1:12", "'- '"),
    ("wrong indentation", "model:\n    kind: default\n  size: 48\n", "3:3", "indented"),
    ("a mapping as a key", "? {a: b}\n: c\n", "1:3", "key"),
    ("an empty key", "? \n: c\n", "1:2", "key"),
    ("a lone half of a character", 'title: "\\ud800"\n', "1:11", ""),
    ("too many values", "a: [" + "1," * 60_000 + "1]", "1:99999", "50000"),
]

SLOW = [
    ("title: {" + ",".join(f"k{n}: [1]" for n in range(30_000)) + "}"),
    ("author: {" + ",".join(f"{n}: {n}" for n in range(10_000)) + "}"),
    ("images: {" + ",".join(f"{n}: x" for n in range(10_000)) + "}"),
    ("".join(f"languages{n}: 1\n" for n in range(10_000))),
    ("references: [" + ",".join(f"{{key: a{n}, text: x}}" for n in range(9_000)) + "]"),
    ("languages: [" + ",".join(f"en{n}" for n in range(20_000)) + "]"),
    ("version: " + "9" * NUMBER),
    ("a" * NUMBER + ": 1"),
    ("title: '" + "a\n" * NUMBER),
    ("a: &a [1, 1]\n" + "".join(f"c{n}: &c{n} [*a, *a]\n" for n in range(8_000))),
    ("- &a 1\n" * 40_000),
    ("a: 1\n" * 20_000),
    ("? " * NUMBER),
    (":" * NUMBER),
    ("!" * NUMBER),
    ("{" + "a," * NUMBER),
    ("---\n" * NUMBER),
    with_part("- saliency: {images: [" + ",".join(map(str, range(40_000))) + "]}"),
    with_part("- saliency:\n  notes: {" + ",".join(f"n{n}: x" for n in range(10_000)) + "}"),
    with_part("- saliency: {images: same as question 1}\n" * 2_500),
    GOOD[: GOOD.index("questions:")] + "questions:\n" + "".join(
        f"- title: x\n  answer: [saliency: {{images: same as question {n + 2}}}]\n"
        for n in range(2_000)),
]  # fmt: skip


@pytest.mark.parametrize(("content", "place", "named"), [case[1:] for case in REFUSED],
                         ids=[case[0] for case in REFUSED])  # fmt: skip
def test_it_is_refused_at_its_place(
    tmp_path: Path, content: str | bytes, place: str, named: str
) -> None:
    found = complaints(tmp_path, content)
    there = [each.message for each in found if f"{each.line}:{each.column}" == place]
    assert any(named in message for message in there), found


@pytest.mark.parametrize("content", SLOW, ids=range(len(SLOW)))
def test_much_of_the_wrong_is_refused_quickly(tmp_path: Path, content: str) -> None:
    start = time.process_time()
    assert complaints(tmp_path, content)
    assert time.process_time() - start < 5


def test_a_file_of_50_mb_is_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / "report.yaml"
    with file.open("wb") as big:
        big.truncate(50_000_000)
    start = time.process_time()
    complaint = refused(file)
    assert time.process_time() - start < 0.5
    assert "50.0 MB" in complaint.message
    assert (complaint.file, complaint.line) == ("report.yaml", 0)


def test_a_file_may_have_as_many_bytes_as_it_says(tmp_path: Path) -> None:
    padding = "#" * (LARGEST - len(GOOD.encode()))
    assert load(tmp_path, GOOD + padding).questions
    assert "at most 1 MB" in only(tmp_path, GOOD + padding + "#").message


@pytest.mark.parametrize("name", ["missing.yaml", ".", "nowhere/report.yaml", "x" * 300])
def test_what_is_no_file_is_named(tmp_path: Path, name: str) -> None:
    complaint = refused(tmp_path / name)
    assert complaint.line == 0
    assert complaint.message


def test_devices_and_pipes_are_no_reports(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (Path("/dev/zero"), tmp_path / "pipe.yaml"):
        assert "regular" in refused(path).message


def test_a_tag_is_named_as_it_is_written(tmp_path: Path) -> None:
    (tag,) = complaints(tmp_path, with_line(2, "title: !!python/object:os.system x"))
    assert "'!!python/object:os.system'" in tag.message


def test_after_an_alias_the_rest_is_checked_too(tmp_path: Path) -> None:
    found = complaints(tmp_path, with_line(9, "    points: *two").replace("kind: faces", "kind: x"))
    assert [each.path for each in found] == ["data.kind", "questions[0].points"]


def test_merge_keys_are_plain_unknown_keys(tmp_path: Path) -> None:
    assert only(tmp_path, GOOD + "<<: {seed: 1}\n").path == "<<"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7*7 }}", "a\u202eb", "'; --"])
def test_any_text_is_just_text(tmp_path: Path, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert load(tmp_path, with_line(2, f"title: {quoted}")).title.in_language("en") == text


def refused(file: Path) -> Complaint:
    from fervis import spec
    from tests.spec.registry import ANALYSES, DATASETS, Model

    with pytest.raises(ReportError) as caught:
        spec.load(file, analyses=ANALYSES, datasets=DATASETS, model=Model)
    (complaint,) = caught.value.complaints
    return complaint
