"""The whole street on a small project: from report.yaml to site and PDFs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fervis import gather, pipeline
from fervis.analyses import REGISTRY
from fervis.errors import ReportError
from tests.project import REPORT, write_project


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project that was built once; tests that change it work on their own copy."""
    file = write_project(tmp_path_factory.mktemp("project"))
    return file, pipeline.build(file)


@pytest.fixture
def project(built, tmp_path):
    """A copy of the built project with its cache and site."""
    import shutil

    shutil.copytree(built[0].parent, tmp_path / "copy")
    return tmp_path / "copy" / "report.yaml"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_a_build_leaves_the_page_and_one_pdf_per_language(built):
    file, outcome = built
    site = file.parent / "site"
    assert outcome.published
    assert not outcome.failures
    for name in ("index.html", "report.pdf", "report.en.pdf", "report.zh-Hant.pdf"):
        assert (site / name).stat().st_size > 1000, name
    assert (site / "report.pdf").read_bytes() == (site / "report.en.pdf").read_bytes()


def test_every_picture_is_computed_once_per_analysis(built):
    _, outcome = built
    assert sorted(outcome.computed) == sorted([
        *(f"predictions of picture {name}" for name in (0, 1, 2, "extra")),
        *(f"saliency of picture {name}" for name in (0, 1, 2, "extra")),
        *(f"gradcam of picture {name}" for name in (0, 1, 2, "extra")),
        "filters", "activations of picture 0", "lime of picture 0", "confusion",
    ])  # fmt: skip


def test_the_page_says_what_the_author_wrote_and_which_pictures_are_shown(built):
    page = (built[0].parent / "site" / "index.html").read_text("utf-8")
    text = re.sub(r"<[^>]+>", " ", page)
    for words in (
        "B01234567",
        "資訊工程學系",
        "林小真",
        "(2%)",
        "(1.5%)",
        "free choice",
        "The rim.",
        "The stripes.",
        "Selvaraju et al. 2017",
    ):
        assert words in text, words


def test_a_second_build_finds_nothing_to_do(project):
    pipeline.build(project)  # the copy has another site path, so this one only renders
    again = pipeline.build(project)
    assert again.unchanged


def test_changing_one_index_computes_one_picture(project):
    edit(project, "  1: 14", "  1: 15")
    outcome = pipeline.build(project)
    assert sorted(outcome.computed) == [
        "gradcam of picture 1",
        "predictions of picture 1",
        "saliency of picture 1",
    ]


def test_a_changed_sentence_computes_nothing_and_needs_no_torch(project):
    edit(project, "The rim.", "The dark rim.")
    code = (
        "import sys; from fervis import pipeline; "
        f"outcome = pipeline.build({str(project)!r}); "
        "assert outcome.published and not outcome.computed, outcome; "
        "heavy = {'torch', 'skimage', 'lime', 'matplotlib', 'seaborn', 'scipy'}"
        " & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "The dark rim." in (project.parent / "site" / "index.html").read_text("utf-8")


def test_nothing_changed_imports_nothing_heavy(project):
    pipeline.build(project)
    code = (
        "import sys; from fervis import pipeline; "
        f"assert pipeline.build({str(project)!r}).unchanged; "
        "heavy = {'torch', 'skimage', 'lime', 'matplotlib', 'seaborn', 'scipy', 'weasyprint'}"
        " & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_project_gives_the_same_bytes(built, tmp_path):
    file, outcome = built
    pipeline.build(file, out=tmp_path / "again")
    first = {
        p.relative_to(outcome.site): p.read_bytes() for p in outcome.site.rglob("*") if p.is_file()
    }
    second = {
        p.relative_to(tmp_path / "again"): p.read_bytes()
        for p in (tmp_path / "again").rglob("*")
        if p.is_file()
    }
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_a_network_that_raises_for_one_picture_costs_only_that_one(project):
    """The block says why, the build lists it, and the published site stays as it was."""
    edit(
        project.parent / "hw3.py",
        "        return self.head",
        "        corner = x[:, 0, :4, :4].flatten(1).mean(1)\n"
        "        if x.requires_grad and (corner < 0.005).any():\n"
        "            raise RuntimeError('too dark')\n"
        "        return self.head",
    )
    with np.load(project.parent / "pictures.npz") as stored:
        images, labels = stored["test_images"].copy(), stored["test_labels"]
    images[14, :4, :4] = 0
    np.savez(project.parent / "pictures.npz", test_images=images, test_labels=labels)
    before = {p: p.read_bytes() for p in (project.parent / "site").rglob("*") if p.is_file()}
    outcome = pipeline.build(project)
    assert not outcome.published
    assert {failure.split(":")[0] for failure in outcome.failures} >= {"saliency of picture 1"}
    assert not any("picture 0" in failure for failure in outcome.failures)
    assert "too dark" in " ".join(outcome.failures)
    assert "too dark" in (outcome.site / "index.html").read_text("utf-8")
    assert before == {p: p.read_bytes() for p in before}
    assert pipeline.build(project, keep_going=True).published


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  1: 14", "  1: 30", "report.yaml:13:6: images\\[1\\]: there is no picture 30"),
        ("  2: 24", "  7: 24", "images\\[7\\]: there is no class 7"),
        ("layer: conv2.relu", "layer: conv9.relu", "there is no layer|has no layer 'conv9.relu'"),
        ("{layer: conv2, first: 4, steps: 4}", "{layer: conv2, first: 9, steps: 4}",
         "conv2 has 8 channels; found 9"),
        ("weights: best.pt", "weights: worst.pt", "worst.pt"),
        ("hw3.py:Net", "hw3.py:Nett", "Nett"),
    ],
)  # fmt: skip
def test_what_the_project_does_not_have_is_said_with_its_place(project, old, new, complaint):
    edit(project, old, new)
    with pytest.raises(ReportError) as caught:
        pipeline.build(project)
    assert re.search(complaint, str(caught.value)), str(caught.value)
    assert str(caught.value).startswith("report.yaml:")


def test_auto_takes_a_correctly_classified_picture_of_the_class(project):
    edit(project, "  1: 14", "  1: auto")
    outcome = pipeline.build(project)
    assert set(outcome.chosen) == {1}
    assert 10 <= outcome.chosen[1] < 20


def test_an_override_is_for_this_run_only(project):
    outcome = pipeline.build(project, overrides=["images.1=16"])
    assert outcome.pictures[1] == 16
    assert project.read_text("utf-8") == REPORT


def test_the_log_beside_the_weights_is_drawn_on_the_networks_page_only(project):
    (project.parent / "log.csv").write_text(
        "epoch,train_loss,valid_loss\n0,2.0,2.1\n1,1.0,1.2\n", "utf-8"
    )
    outcome = pipeline.build(project, pdf=False)
    assert outcome.computed == ("training",)
    site = project.parent / "site"
    page = (site / "network.html").read_text("utf-8")
    assert "By validation loss the best one is epoch 1" in page
    assert "data/training-epoch.csv" in page
    assert (site / "data" / "training-epoch.csv").read_text("utf-8").splitlines()[0] == (
        "epoch,train_loss,valid_loss"
    )
    assert "validation loss" not in (site / "index.html").read_text("utf-8")


def test_a_log_that_nobody_asked_for_cannot_fail_a_build(project):
    (project.parent / "log.csv").write_text("epoch,speed\n0,2\n1,3\n", "utf-8")
    outcome = pipeline.build(project, pdf=False)
    assert not outcome.failures
    assert "<svg" not in (project.parent / "site" / "network.html").read_text("utf-8")


def test_a_split_too_large_to_predict_unasked_has_a_gallery_where_a_part_needs_it(
    project, monkeypatch
):
    gallery = project.parent / "site" / "confusion.html"
    monkeypatch.setattr(gather, "SMALL_SPLIT", 10)
    pipeline.build(project, pdf=False)
    assert gallery.is_file()
    edit(project, "      - confusion: {}\n", "")
    pipeline.build(project, pdf=False)
    assert not gallery.is_file()


def test_a_figure_that_cannot_be_drawn_costs_its_block_only(project, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("in a library")

    monkeypatch.setattr(REGISTRY["gradcam"], "draw", fail)
    edit(project, "  1: 14", "  1: 15")
    outcome = pipeline.build(project, pdf=False)
    assert not outcome.published
    assert {failure.split(":")[0] for failure in outcome.failures} == {"gradcam of picture 1"}
    assert "ZeroDivisionError" in outcome.failures[0]
