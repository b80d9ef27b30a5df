import dataclasses
import re

import numpy as np
import pytest

from fervis.analyses import Context, Subjects, confusion
from fervis.draw import png
from fervis.errors import AnalysisError
from fervis.text import Message, Text
from tests.analyses.conftest import CLASSES, rngs

CONTEXT = Context(classes=CLASSES, split="test", seed=7)
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])  # nothing is sad
PREDICTED = np.array([0, 0, 0, 1, 1, 0, 0, 2])


def split(labels=LABELS, predicted=PREDICTED, seed=0) -> Subjects:
    probabilities = np.full((len(labels), 3), 0.1, np.float32)
    probabilities[np.arange(len(labels)), predicted] = 0.8
    return Subjects(
        np.zeros((0, 4, 4, 1), np.uint8), labels, rngs(1, seed), probabilities=probabilities
    )


@pytest.fixture(scope="module")
def figure():
    (result,) = confusion.compute(None, split(), confusion.Options())
    return confusion.draw(result, confusion.Options(), CONTEXT)


def test_rows_are_true_classes_and_columns_predicted_ones():
    (result,) = confusion.compute(None, split(), confusion.Options())
    np.testing.assert_array_equal(result.arrays["counts"], [[3, 1, 0], [2, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(result.arrays["shares"][:2], [[0.75, 0.25, 0], [0.5, 0.25, 0.25]])
    assert result.numbers["accuracy"] == 0.5


def test_a_class_without_samples_is_a_dash_and_not_zero(figure):
    rates, shares, counts = figure.tables
    assert rates.rows[2] == (CLASSES[2], "0.0%", "–", "–", 0)
    assert set(shares.rows[2][1:]) == {"–"}
    assert counts.rows[2][1:] == (0, 0, 0)


def test_a_class_never_predicted_has_no_precision():
    (result,) = confusion.compute(None, split(predicted=PREDICTED * 0), confusion.Options())
    assert np.isnan(result.arrays["precision"][1])
    assert result.arrays["recall"][1] == 0
    assert result.arrays["f1"][1] == 0


def test_the_interval_holds_the_accuracy_and_repeats():
    first, again, other = (
        confusion.compute(None, split(seed=seed), confusion.Options())[0].numbers
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["low"] < first["accuracy"] < first["high"]
    assert abs(first["low"] - other["low"]) < 0.13


def test_the_interval_of_many_samples_is_the_normal_one():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 4000)
    predicted = np.where(rng.random(4000) < 0.7, labels, (labels + 1) % 3)
    numbers = confusion.compute(None, split(labels, predicted), confusion.Options())[0].numbers
    wide = 1.96 * np.sqrt(numbers["accuracy"] * (1 - numbers["accuracy"]) / 4000)
    assert numbers["high"] - numbers["accuracy"] == pytest.approx(wide, rel=0.06)


def test_the_largest_confusions_come_in_words_and_in_order(figure):
    found = [
        (remark.values["true"], remark.values["predicted"], remark.values["share"])
        for remark in figure.remarks
    ]
    assert found == [
        (CLASSES[1], CLASSES[0], "50%"),
        (CLASSES[0], CLASSES[1], "25%"),
        (CLASSES[1], CLASSES[2], "25%"),
    ]


def test_the_chart_speaks_the_readers_language(figure):
    (panel,) = figure.panels

    def say(word: Message | Text) -> str:
        return word.in_language("zh-Hant") if isinstance(word, Text) else word.msgid

    texts = re.findall(r">([^<]+)</text>", panel.svg_in_words_of(say))
    assert texts.count("高興") == 2
    assert {"75%", "3", "True class", "Predicted class"} <= set(texts)
    assert "happy" not in texts


def test_classes_of_one_name_stay_apart():
    (result,) = confusion.compute(None, split(), confusion.Options())
    same = dataclasses.replace(CONTEXT, classes=(Text.same("face"),) * 3)
    figure = confusion.draw(result, confusion.Options(), same)
    texts = re.findall(r">([^<]+)</text>", figure.panels[0].svg)
    assert {"face", "face (1)", "face (2)"} <= set(texts)


def test_counts_can_be_shown_instead_of_shares():
    (result,) = confusion.compute(None, split(), confusion.Options())
    svg = confusion.draw(result, confusion.Options(normalise=False), CONTEXT).panels[0].svg
    assert "%" not in svg


@pytest.mark.parametrize(("labels", "words"), [(None, "no labels"), (LABELS[:0], "empty")])
def test_a_split_without_labels_or_pictures_is_refused(labels, words):
    subjects = dataclasses.replace(split(LABELS[:0], PREDICTED[:0]), labels=labels)
    with pytest.raises(AnalysisError, match=words):
        confusion.compute(None, subjects, confusion.Options())


def test_a_matrix_of_very_many_classes_is_a_map_of_pixels():
    count = 60
    predicted = np.arange(count)
    predicted[3] = 7
    probabilities = np.eye(count, dtype=np.float32)[predicted]
    subjects = Subjects(
        np.zeros((0, 4, 4, 1), np.uint8), np.arange(count), rngs(1), probabilities=probabilities
    )
    (result,) = confusion.compute(None, subjects, confusion.Options())
    names = tuple(Text.same(f"class {n}") for n in range(count))
    drawn = confusion.draw(result, confusion.Options(), Context(classes=names, split="", seed=0))
    (panel,) = drawn.panels
    pixels = png.decode(panel.png)
    assert pixels.shape == (count, count, 3)
    right, wrong, none = pixels[0, 0], pixels[3, 7], pixels[3, 3]
    assert (right == wrong).all()
    assert (wrong != none).any()
    assert len(drawn.tables) == 1
    assert any("too many" in remark.msgid for remark in drawn.remarks)
