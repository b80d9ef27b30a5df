"""Values of the command line: they replace, they are checked, and complaints name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fervis.text import Text
from tests.spec.registry import GOOD, complaints, load, only


def test_an_index_is_replaced_by_either_way_of_writing(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, "images.0=99").pictures[0] == 99
    assert load(tmp_path, GOOD, "images[0]=99").pictures[0] == 99
    assert load(tmp_path, GOOD, "images.0=1", "images.0=2").pictures[0] == 2
    assert load(tmp_path, GOOD, "images.6=7").pictures == {0: 12, 1: "auto", "eyes": 812, 6: 7}


def test_options_of_a_part_and_whole_mappings_can_be_set(tmp_path: Path) -> None:
    report = load(tmp_path, GOOD, "questions[0].answer[0].saliency.images=[0, 1, eyes]",
                  "questions[1].answer[0].saliency.quantile=0.5", "title={zh-Hant: 題, en: T}",
                  "languages=[en]", "questions[1].title=a = b", "seed=7")  # fmt: skip
    assert report.questions[0].answer[0].options.model_dump()["images"] == [0, 1, "eyes"]
    assert report.questions[1].answer[0].options.model_dump()["quantile"] == 0.5
    assert report.title == Text({"zh-Hant": "題", "en": "T"})
    assert (report.languages, report.seed) == (("en",), 7)
    assert report.questions[1].title == Text.same("a = b")


def test_keys_with_dots_are_quoted(tmp_path: Path) -> None:
    report = load(tmp_path, GOOD, 'author."e.mail"=a@b.c', "author.'student id'=007")
    assert report.author[0][1] == Text.same("007")
    assert report.author[-1] == (Text.same("e.mail"), Text.same("a@b.c"))


@pytest.mark.parametrize(("override", "path", "named"), [
    ("images.0=x", "images[0]", "auto"),
    ("images.2=-1", "images[2]", "at least 0"),
    ("modle.kind=default", "modle", "did you mean model?"),
    ("model.wieghts=x", "model.wieghts", "did you mean weights?"),
    ("questions[9].title=x", "questions[9]", "0 to 1"),
    ("questions.one.title=x", "questions.one", "list"),
    ("version.x=1", "version.x", "single value"),
    ("title={en: x}", "title", "zh-Hant"),
    ("title={en: [}", "", "closed"),
    ("title=*x", "", "alias"),
    ("nonsense", "", "path=value"),
    ("=3", "", "path=value"),
    (".a=3", "", "path=value"),
    ("a..b=3", "", "path=value"),
    ("a[x]=3", "", "path=value"),
])  # fmt: skip
def test_a_wrong_override_is_named_in_the_complaint(
    tmp_path: Path, override: str, path: str, named: str
) -> None:
    complaint = only(tmp_path, GOOD, override)
    assert complaint.file == f"--set {override}"
    assert (complaint.line, complaint.path) == (0, path)
    assert named in complaint.message


def test_complaints_about_the_file_and_the_command_line_come_together(tmp_path: Path) -> None:
    found = complaints(tmp_path, GOOD.replace("kind: faces", "kind: x"), "seed=x", "images.0=x")
    assert [each.path for each in found] == ["data.kind", "images[0]", "seed"]


def test_an_override_can_mend_a_file(tmp_path: Path) -> None:
    broken = GOOD.replace("points: 2", "points: two")
    assert load(tmp_path, broken, "questions[0].points=3").questions[0].points == 3


def test_later_complaints_name_the_override_too(tmp_path: Path) -> None:
    report = load(tmp_path, GOOD, "images.0=99999")
    complaint = report.complaint(("images", 0), "beyond the data set")
    assert str(complaint) == "--set images.0=99999: images[0]: beyond the data set"
    assert report.complaint(("images", "eyes"), "x").line == 6
