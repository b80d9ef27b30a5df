"""What a good report says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fervis import data, spec
from fervis.analyses import REGISTRY
from fervis.errors import ReportError
from fervis.model.options import ModelOptions
from fervis.spec.report import Note, Reference
from fervis.text import Text
from tests.spec.registry import GOOD, complaints, load, only, with_line, with_part


def test_a_good_report_is_typed_and_complete(tmp_path: Path) -> None:
    report = load(tmp_path, GOOD)
    assert report.title == Text({"zh-Hant": "報告", "en": "Report"})
    assert report.languages == ("zh-Hant", "en")
    assert report.pictures == {0: 12, 1: "auto", "eyes": 812}
    assert (report.data_kind, report.data.model_dump()["split"]) == ("faces", "test")
    assert report.file == tmp_path / "report.yaml"
    assert report.references == (
        Reference(Text.same("A paper")),
        Reference(Text.same("Another"), "b", "https://example.org/b"),
    )
    one, two = report.questions
    assert (one.points, one.collaborators, one.tag) == (2.0, Text.same("None"), None)
    assert [part.analysis for part in one.answer] == ["saliency", "filters", "text", "math"]
    assert one.answer[0].notes == (
        (0, Note(Text.same("no"))),
        (1, Note(Text.same("brows"), "partly")),
    )
    assert (one.answer[2].text, one.answer[3].latex) == (Text.same("*bold*"), "L^c = 1")
    assert two.answer[0].text == Text({"zh-Hant": "看", "en": "look"})


def test_an_analysis_with_nothing_after_it_has_all_defaults(tmp_path: Path) -> None:
    (part,) = load(tmp_path, GOOD).questions[1].answer
    assert part.options is not None
    assert part.options.model_dump()["quantile"] == 0.7


def test_a_student_id_keeps_its_zeros_and_the_author_the_order(tmp_path: Path) -> None:
    author = load(tmp_path, GOOD).author
    assert author[0] == (Text.same("student id"), Text.same("0123456"))
    assert author[1][1].in_language("en") == "CSIE"


def test_labels_of_the_author_can_be_translated(tmp_path: Path) -> None:
    line = "author: [{label: {zh-Hant: 學號, en: Student ID}, value: 007}, {label: a, value: b}]"
    author = load(tmp_path, with_line(3, line)).author
    assert author[0] == (Text({"zh-Hant": "學號", "en": "Student ID"}), Text.same("007"))
    assert author[1] == (Text.same("a"), Text.same("b"))


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "Off", "None", "12:30", "2024-01-05", "0123", "1_000", "1e3",
             "true", "0x1F", "1.50", ".5", "9" * 60]
)  # fmt: skip
def test_where_text_is_wanted_an_unquoted_scalar_is_the_text_as_written(
    tmp_path: Path, word: str
) -> None:
    assert load(tmp_path, with_line(10, f"    collaborators: {word}")).questions[
        0
    ].collaborators == Text.same(word)
    assert load(tmp_path, GOOD + f"date: {word}\n").date == word


def test_numbers_are_not_taken_from_texts_nor_booleans(tmp_path: Path) -> None:
    for wrong in ('"2"', "true", "no", "2%"):
        assert only(tmp_path, with_line(9, f"    points: {wrong}")).path == "questions[0].points"
    assert only(tmp_path, GOOD + "seed: true\n").path == "seed"
    assert only(tmp_path, with_part("- odd: {exact: 1}")).path.endswith("odd.exact")


def test_other_forms_of_a_value_reach_the_model_as_its_type(tmp_path: Path) -> None:
    text = with_line(5, "model: {size: [48, 64], mean: 1, args: {1: [a, {b: no}], c: .inf}}")
    model = load(tmp_path, text).model.model_dump()
    assert model["size"] == (48, 64)
    assert model["args"] == {"1": ["a", {"b": "no"}], "c": float("inf")}


def test_keys_of_pictures_may_be_quoted(tmp_path: Path) -> None:
    text = with_line(6, "images: {'0': 12, 1: auto, eyes: 812}").replace("[1, 0]", "[1, '0']")
    report = load(tmp_path, text)
    assert list(report.pictures) == [0, 1, "eyes"]
    assert report.questions[0].answer[0].options.model_dump()["images"] == [1, 0]


def test_every_value_knows_its_place(tmp_path: Path) -> None:
    report = load(tmp_path, GOOD)
    where = ("questions", 0, "answer", 1, "filters", "layer")
    assert report.lines[where] == (14, 26)
    complaint = report.complaint((*where, "deeper"), "wrong")
    assert str(complaint) == "report.yaml:14:26: questions[0].answer[1].filters.layer.deeper: wrong"


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n").encode(),
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: text.replace("eyes", "眼睛").encode(),
])  # fmt: skip
def test_line_ends_marks_and_chinese_keys_are_welcome(tmp_path: Path, change) -> None:
    report = load(tmp_path, change(GOOD))
    assert report.lines[("title",)] == (2, 8)
    assert len(report.pictures) == 3


def test_files_that_options_name_must_be_there(tmp_path: Path) -> None:
    text = with_line(4, "data: {kind: fer2013, path: data.csv}")
    complaint = only(tmp_path, text)
    assert (complaint.line, complaint.column, complaint.path) == (4, 29, "data.path")
    assert str(tmp_path) in complaint.message
    (tmp_path / "data.csv").touch()
    assert load(tmp_path, text).data.model_dump()["path"] == Path("data.csv")
    long = with_line(4, f"data: {{kind: fer2013, path: {'x' * 5000}}}")
    assert only(tmp_path, long).path == "data.path"


def test_a_normal_report_is_read_in_a_blink(tmp_path: Path) -> None:
    text = GOOD + "".join(f"  - Reference {number}\n" for number in range(300))
    load(tmp_path, text)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        load(tmp_path, text)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.06


def test_the_shipped_registries_have_options_this_room_can_read(tmp_path: Path) -> None:
    file = tmp_path / "report.yaml"
    for name in REGISTRY:
        spec.describe(REGISTRY[name].Options)
    file.write_text("version: 1\ntitle: x\ndata: {kind: faces}\nmodel: {kind: default}\n"
                    "questions: [{title: y, answer: [{text: z}]}]\n")  # fmt: skip
    report = spec.load(file, analyses=REGISTRY, datasets=data.KINDS, model=ModelOptions)
    assert report.data_kind == "faces"


def test_nothing_to_complain_about_means_no_complaints(tmp_path: Path) -> None:
    assert complaints(tmp_path, GOOD) == ()


@pytest.mark.parametrize(
    "model", ["{}", "{size: 48}", "{weights: report.yaml}", "{kind: default, factory: a.py:Net}"]
)
def test_a_report_names_one_network_and_the_complaint_has_its_place(
    tmp_path: Path, model: str
) -> None:
    file = tmp_path / "report.yaml"
    file.write_text(
        with_line(5, f"model: {model}").split("questions:")[0] + "questions: [title: x]"
    )
    with pytest.raises(ReportError) as caught:
        spec.load(file, analyses=REGISTRY, datasets=data.KINDS, model=ModelOptions)
    (complaint,) = caught.value.complaints
    assert (complaint.line, complaint.column, complaint.path) == (5, 8, "model")
    assert "factory" in complaint.message
