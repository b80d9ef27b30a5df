"""Every complaint has its place, and all of them come at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from fervis.spec.complaints import MOST
from tests.spec.registry import GOOD, complaints, only, with_line, with_part

LINES = [
    # line of GOOD, what it becomes, place, path, what the message has to name
    (1, "version: 2", "1:10", "version", "version: 1"),
    (1, "version: '1'", "1:10", "version", "a whole number"),
    (2, "title: ", "2:7", "title", "for each language"),
    (2, "title: [a]", "2:8", "title", "a list of 1"),
    (2, "title: {zh-Hant: 報告}", "2:8", "title", "en"),
    (2, "title: {zh-Hant: 報告, en: [x]}", "2:26", "title.en", "text"),
    (2, "title: {zh-Hant: a, en: b, English: c}", "2:28", "title.English", "zh-Hant"),
    (2, "title: a\ntitel: b", "3:1", "titel", "did you mean title?"),
    (2, "title: a\ntitle: b", "3:1", "title", "twice"),
    (2, "title: a\nseed: -1", "3:7", "seed", "at least 0"),
    (2, "title: a\nseed: 1.5", "3:7", "seed", "a whole number"),
    (2, "title: a\nlanguages: []", "3:12", "languages", "at least 1"),
    (2, "title: a\nlanguages: en", "3:12", "languages", "a list"),
    (3, "author: hello", "3:9", "author", "a mapping"),
    (3, "author: {a: [x]}", "3:13", "author.a", "text"),
    (4, "data: faces", "4:7", "data", "{kind: faces}"),
    (4, "data: {split: test}", "4:7", "data", "kind"),
    (4, "data: {kind: facse}", "4:14", "data.kind", "did you mean faces?"),
    (4, "data: {kind: faces, splitt: x}", "4:21", "data.splitt", "did you mean split?"),
    (4, "data: {kind: faces, split: tset}", "4:28", "data.split", "did you mean test?"),
    (4, "data: {kind: fer2013}", "4:7", "data.path", "the CSV file"),
    (5, "model: {kind: defalt}", "5:15", "model.kind", "did you mean default?"),
    (5, "model: {wieghts: x}", "5:9", "model.wieghts", "did you mean weights?"),
    (5, "model: {size: [48]}", "5:15", "model.size", "item 1"),
    (5, "model: {mean: [1, a]}", "5:19", "model.mean[1]", "a number"),
    (5, "model: {mean: {}}", "5:15", "model.mean", "a number or a list"),
    (6, "images: {0: 12, 1: auto, eyes: -1}", "6:32", "images.eyes", "at least 0"),
    (6, "images: {0: x, 1: auto, eyes: 1}", "6:13", "images[0]", "auto"),
    (6, "images: {0: 12, 1: 3, eyes: auto}", "6:29", "images.eyes", "an index"),
    (6, "images: {0: 12, 1: 3, -4: 1}", "6:23", "images[-4]", "below 0"),
    (6, "images: {0: 12, 1: 3, '1': 1}", "6:23", "images.1", "twice"),
    (6, "images: {0: 12, 1: 3, 01: 1}", "6:23", "images[1]", "twice"),
    (8, "  - titles: x\n    title: One", "8:5", "questions[0].titles", "did you mean title?"),
    (8, "  - tag: x", "8:5", "questions[0].title", "the heading"),
    (9, "    points: two", "9:13", "questions[0].points", "a number"),
    (9, "    points: -1", "9:13", "questions[0].points", "at least 0"),
    (10, "    ask: {en: x}", "10:10", "questions[0].ask", "zh-Hant"),
    (18, "    answer: {x: y}\n    tag:", "18:13", "questions[1].answer", "a list of parts"),
    (20, "        text: {en: x}", "20:15", "questions[1].answer[0].text", "zh-Hant"),
    (23, "  - {key: b c, text: x}", "23:11", "references[1].key", "of the form"),
    (23, "  - {text: x, url: 'javascript:x'}", "23:20", "references[1].url", "https://"),
    (23, "  - {key: b}", "23:5", "references[1].text", "missing"),
    (23, "  - [x]", "23:5", "references[1]", "text"),
    (23, "  - {key: b, text: x}\n  - {key: b, text: x}", "24:11", "references[2].key", "twice"),
]  # fmt: skip

PARTS = [
    # a part that begins in line 10, column 7; line, column, path below the part, what is named
    ("- salency:", 10, 9, ".salency", "did you mean saliency?"),
    ("- saliency: {quantil: 0.5}", 10, 20, ".saliency.quantil", "did you mean quantile?"),
    ("- saliency: {quantile: 2}", 10, 30, ".saliency.quantile", "below 1"),
    ("- saliency: all", 10, 19, ".saliency", "a mapping"),
    ("- saliency: {images: {a: b}}", 10, 28, ".saliency.images", "a list"),
    ("- saliency: {images: [0, 1.5]}", 10, 32, ".saliency.images[1]", "'1.5'"),
    ("- saliency: {images: [0, 7]}", 10, 32, ".saliency.images[1]", "7"),
    ("- saliency: {images: [0, 0]}", 10, 32, ".saliency.images[1]", "twice"),
    ("- saliency: {images: [eys]}", 10, 29, ".saliency.images[0]", "did you mean eyes?"),
    ("- saliency: {images: some}", 10, 28, ".saliency.images", "same as question"),
    ("- saliency: {images: 0}", 10, 28, ".saliency.images", "[0, 4]"),
    ("- saliency: {images: same as question 2}", 10, 28, ".saliency.images", "question 2"),
    ("- saliency: {images: same as question 1}", 10, 28, ".saliency.images", "question 1"),
    ("- activations: {image: eye}", 10, 30, ".activations.image", "did you mean eyes?"),
    ("- saliency:\n  note: x", 11, 9, ".note", "did you mean notes?"),
    ("- saliency:\n  filters: {layer: x}", 11, 9, ".filters", "saliency and filters"),
    ("- saliency:\n  notes: hello", 11, 16, ".notes", "a mapping"),
    ("- saliency:\n  notes: {9: x}", 11, 20, ".notes[9]", "9"),
    ("- saliency:\n  notes: {0: }", 11, 20, ".notes[0]", "nothing"),
    ("- saliency:\n  notes: {0: {text: x, verdict: rihgt}}", 11, 39, ".notes[0].verdict",
     "did you mean right?"),
    ("- saliency:\n  notes: {0: {verdict: right}}", 11, 20, ".notes[0].text", "missing"),
    ("- saliency:\n  notes: {0: {en: x}}", 11, 20, ".notes[0]", "zh-Hant"),
    ("- filters:", 10, 17, ".filters.layer", "which layer"),
    ("- filters: {layer: [1]}", 10, 26, ".filters.layer", "text"),
    ("- filters: {layer: a, channels: [1, x]}", 10, 43, ".filters.channels[1]", "a whole number"),
    ("- filters: {layer: a}\n  notes: {0: x}", 11, 16, ".notes", "text:"),
    ("- odd: {exact: no}", 10, 22, ".odd.exact", "true or false"),
    ("- odd: {pair: [2, 1]}", 10, 21, ".odd.pair", "the second number is the larger one"),
    ("- odd: {pair: [1, 2, 3]}", 10, 21, ".odd.pair", "at most 2"),
    ("- odd: {names: [{en: x}]}", 10, 23, ".odd.names[0]", "zh-Hant"),
    ("- odd: {inside: {dept: 1}}", 10, 24, ".odd.inside.dept", "did you mean depth?"),
    ("- odd: {inside: 3}", 10, 23, ".odd.inside", "a mapping"),
    ("- odd: {mode: slwo}", 10, 21, ".odd.mode", "did you mean slow?"),
    ("- odd: {counts: {1: x}}", 10, 27, ".odd.counts[1]", "a whole number"),
    ("- hello", 10, 9, "", "- text: …"),
    ("- {}", 10, 9, "", "saliency"),
    ("- title: x", 10, 9, "", "saliency"),
    ("- text:", 10, 14, ".text", "nothing"),
    ("- text: x\n  notes: {0: x}", 11, 9, ".notes", "beside an analysis"),
    ("- math: x\n  text: y", 11, 9, ".text", "beside an analysis"),
    ("- math: {en: x}", 10, 15, ".math", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "line", "place", "path", "named"), LINES)
def test_a_wrong_line_is_complained_about_at_its_place(
    tmp_path: Path, number: int, line: str, place: str, path: str, named: str
) -> None:
    found = [each for each in complaints(tmp_path, with_line(number, line)) if each.path == path]
    assert len(found) == 1, complaints(tmp_path, with_line(number, line))
    assert f"{found[0].line}:{found[0].column}" == place
    assert named in found[0].message


@pytest.mark.parametrize(("part", "line", "column", "path", "named"), PARTS)
def test_a_wrong_part_is_complained_about_at_its_place(
    tmp_path: Path, part: str, line: int, column: int, path: str, named: str
) -> None:
    complaint = only(tmp_path, with_part(part))
    assert (complaint.line, complaint.column) == (line, column), complaint
    assert complaint.path == f"questions[0].answer[0]{path}"
    assert named in complaint.message


def test_the_form_of_a_complaint(tmp_path: Path) -> None:
    text = with_part("- saliency: {quantil: 0.5}")
    assert str(only(tmp_path, text)) == (
        "report.yaml:10:20: questions[0].answer[0].saliency.quantil: unknown key 'quantil'; "
        "expected one of images or quantile (did you mean quantile?)"
    )


def test_all_complaints_come_at_once_sorted_by_place(tmp_path: Path) -> None:
    text = GOOD.replace("version: 1", "version: 3").replace("kind: faces", "kind: face")
    text = text.replace("points: 2", "points: x").replace("[1, 0]", "[1, 8], quantile: 9")
    text = (
        text.replace("filters:", "filter:").replace("A paper", "[]").replace("0: no", "0: no, 0: x")
    )
    found = complaints(tmp_path, text)
    assert [each.path for each in found] == [
        "version", "data.kind", "questions[0].points", "questions[0].answer[0].saliency.images[1]",
        "questions[0].answer[0].saliency.quantile", "questions[0].answer[0].notes[0]",
        "questions[0].answer[0].notes[0]", "questions[0].answer[1].filter", "references[0]",
    ]  # fmt: skip
    places = [(each.line, each.column) for each in found]
    assert places == sorted(places)


def test_a_report_of_nothing_but_a_list_or_a_word_says_what_is_expected(tmp_path: Path) -> None:
    for text in ("- a\n- b\n", "hello\n", "42\n"):
        complaint = only(tmp_path, text)
        assert (complaint.line, complaint.column) == (1, 1)
        assert "version" in complaint.message


def test_missing_fields_are_all_named(tmp_path: Path) -> None:
    found = complaints(tmp_path, "seed: 1\n")
    assert {each.path for each in found} == {"version", "title", "data", "model", "questions"}
    assert {(each.line, each.column) for each in found} == {(1, 1)}


def test_no_questions_is_a_complaint(tmp_path: Path) -> None:
    head = GOOD[: GOOD.index("questions:")]
    assert only(tmp_path, head + "questions: []\n").path == "questions"
    assert only(tmp_path, head + "questions: {title: x}\n").path == "questions"
    assert only(tmp_path, head + "questions: [x]\n").path == "questions[0]"


def test_pictures_are_needed_only_where_they_are_shown(tmp_path: Path) -> None:
    text = with_part("- text: x").replace("images: {0: 12, 1: auto, eyes: 812}\n", "")
    assert complaints(tmp_path, text) == ()
    text = with_part("- saliency:").replace("images: {0: 12, 1: auto, eyes: 812}\n", "")
    assert "`images:`" in only(tmp_path, text).message


@pytest.mark.parametrize(("tag", "usual"), [("zh-hant", "zh-Hant"), ("EN", "en"),
                                            ("zh_TW", "zh-TW"), ("English", "")])  # fmt: skip
def test_a_language_is_a_tag_in_its_usual_spelling(tmp_path: Path, tag: str, usual: str) -> None:
    text = f"{GOOD}languages: [en, {tag}]\n".replace("{zh-Hant: 報告, en: Report}", "x")
    complaint = only(tmp_path, text)
    assert complaint.path == "languages[1]"
    assert usual in complaint.message


def test_a_language_is_listed_once(tmp_path: Path) -> None:
    assert only(tmp_path, GOOD + "languages: [en, en]\n").path == "languages"


def test_texts_may_have_more_languages_than_the_report(tmp_path: Path) -> None:
    assert complaints(tmp_path, GOOD + "languages: [en]\n") == ()
    found = complaints(tmp_path, GOOD + "languages: [ja, en]\n")
    assert [each.path for each in found] == [
        "title", "author.department", "questions[1].answer[0].text"]  # fmt: skip
    assert all("ja" in each.message for each in found)


def test_a_text_in_the_language_family_is_enough(tmp_path: Path) -> None:
    assert complaints(tmp_path, with_line(2, "title: {zh: 報告, en: Report}")) == ()


def test_a_thousand_complaints_are_cut_to_what_one_can_read(tmp_path: Path) -> None:
    found = complaints(tmp_path, GOOD + "".join(f"key{n}: 1\n" for n in range(1000)))
    assert len(found) == MOST + 1
    assert str(1000 - MOST) in found[-1].message


def test_messages_hold_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    found = complaints(tmp_path, GOOD + '"a\\u202Eb\\u200B": 1\n' + "x" * 500 + ": 2\n")
    assert len(found) == 2
    assert "\u202e" not in found[0].message
    assert all(len(each.message) < 300 for each in found)
