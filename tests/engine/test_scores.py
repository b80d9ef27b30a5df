"""Scores, against hand-made cases and scikit-learn."""

import numpy as np
import pytest

from fervis.engine import scores


@pytest.fixture
def guesses():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    values = rng.random((400, 4)).astype(np.float32)
    values[np.arange(400), labels] += rng.random(400).astype(np.float32)
    return values / values.sum(1, keepdims=True), labels


def test_confusion_and_recall_match_scikit_learn(guesses):
    from sklearn.metrics import confusion_matrix, recall_score

    values, labels = guesses
    assert np.array_equal(
        scores.confusion(values, labels), confusion_matrix(labels, values.argmax(1))
    )
    assert scores.recall(values, labels) == pytest.approx(
        recall_score(labels, values.argmax(1), average=None)
    )


def test_a_class_without_pictures_has_no_recall():
    values = np.eye(3, dtype=np.float32)[[0, 1]]
    assert np.isnan(scores.recall(values, np.array([0, 1]))[2])


def test_the_interval_holds_the_value_and_narrows_with_more_pictures(guesses):
    values, labels = guesses
    few, many = scores.accuracy(values[:50], labels[:50]), scores.accuracy(values, labels)
    assert many.low <= many.value <= many.high
    assert many.high - many.low < few.high - few.low


def test_pictures_of_one_identity_count_together():
    """Ten identities of forty pictures each, all right or all wrong: ten facts, not 400."""
    labels = np.zeros(400, np.int64)
    values = np.zeros((400, 2), np.float32)
    identity = np.arange(400) // 40
    values[np.arange(400), identity % 2] = 1
    alone, together = scores.accuracy(values, labels), scores.accuracy(values, labels, identity)
    assert together.high - together.low > 4 * (alone.high - alone.low)


def test_calibration_error_by_hand():
    values = np.array([[0.9, 0.1]] * 10, np.float32)
    labels = np.array([0] * 6 + [1] * 4)
    assert scores.calibration_error(values, labels) == pytest.approx(0.3, abs=1e-6)
