"""Which pictures a part shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.registry import GOOD, complaints, load, only

HEAD = GOOD[: GOOD.index("questions:")] + "questions:\n"


def report(*answers: str) -> str:
    """One question for each of ``answers``, a flow list of parts."""
    return HEAD + "".join(f"  - title: x\n    answer: [{answer}]\n" for answer in answers)


def shown(folder: Path, text: str) -> list[list[int | str]]:
    return [
        part.options.selection()  # type: ignore[union-attr]
        for question in load(folder, text).questions
        for part in question.answer
    ]


def test_all_is_every_picture_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert shown(tmp_path, report("saliency: {images: all}")) == [[0, 1, "eyes"]]


def test_same_as_an_earlier_and_a_later_question(tmp_path: Path) -> None:
    text = report("saliency: {images: same as question 2}", "saliency: {images: [1, 0]}",
                  "saliency: {images: Same as Question 2}")  # fmt: skip
    assert shown(tmp_path, text) == [[1, 0]] * 3


def test_same_as_goes_on_to_what_that_question_refers_to(tmp_path: Path) -> None:
    first, second = (f"saliency: {{images: same as question {number}}}" for number in (2, 3))
    assert shown(tmp_path, report(first, second, "saliency: {images: [eyes]}")) == [["eyes"]] * 3


def test_several_pictures_decide_before_a_single_one(tmp_path: Path) -> None:
    both = "{activations: {image: 1}}, {saliency: {images: [0, eyes]}}"
    text = report(both, "saliency: {images: same as question 1}")
    assert shown(tmp_path, text) == [[1], [0, "eyes"], [0, "eyes"]]


def test_a_part_may_refer_to_another_one_of_its_own_question(tmp_path: Path) -> None:
    text = report("{saliency: {images: [0, 1]}}, {saliency: {images: same as question 1}}")
    assert shown(tmp_path, text) == [[0, 1], [0, 1]]


@pytest.mark.parametrize("answers", [
    ("saliency: {images: same as question 1}",),
    ("saliency: {images: same as question 2}", "saliency: {images: same as question 1}"),
    ("saliency: {images: same as question 2}", "text: nothing"),
    ("saliency: {images: same as question 2}", "filters: {layer: conv1}"),
    ("saliency: {images: same as question 0}",),
    ("saliency: {images: same as question 3}",),
])  # fmt: skip
def test_what_leads_nowhere_is_complained_about(tmp_path: Path, answers: tuple[str, ...]) -> None:
    for complaint in (found := complaints(tmp_path, report(*answers))):
        assert complaint.path.endswith("saliency.images")
        assert "question" in complaint.message
    assert found


def test_a_chain_of_any_length_ends(tmp_path: Path) -> None:
    chain = [f"saliency: {{images: same as question {n + 2}}}" for n in range(200)]
    assert complaints(tmp_path, report(*chain, "saliency: {images: [0]}"))


def test_a_wrong_name_is_complained_about_once_where_it_is_written(tmp_path: Path) -> None:
    text = report("saliency: {images: same as question 2}", "saliency: {images: [8]}")
    assert only(tmp_path, text).path == "questions[1].answer[0].saliency.images[0]"


def test_notes_follow_the_pictures_that_are_resolved(tmp_path: Path) -> None:
    text = report("{saliency: {images: same as question 2}, notes: {eyes: x, 0: y}}",
                  "saliency: {images: [0, 1]}")  # fmt: skip
    complaint = only(tmp_path, text)
    assert complaint.path == "questions[0].answer[0].notes.eyes"
    assert "0 and 1" in complaint.message


def test_a_broken_part_elsewhere_is_not_blamed_twice(tmp_path: Path) -> None:
    text = report("saliency: {images: same as question 2}", "saliency: {images: 1.5, foo: 1}")
    paths = [each.path for each in complaints(tmp_path, text)]
    assert all(path.startswith("questions[1].answer[0].saliency.") for path in paths)
    assert paths


def test_notes_keep_the_order_of_the_author(tmp_path: Path) -> None:
    text = report("{saliency: {images: all}, notes: {eyes: a, 1: b, 0: c}}")
    (part,) = load(tmp_path, text).questions[0].answer
    assert [name for name, _ in part.notes] == ["eyes", 1, 0]
