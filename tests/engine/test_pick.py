"""``auto`` takes the correctly classified picture of median confidence."""

import numpy as np

from fervis.engine.pick import median_correct


def probabilities(confidences):
    right = np.asarray(confidences, np.float32)
    return np.stack([right, 1 - right], 1)


def test_median_of_an_odd_number():
    values = probabilities([0.9, 0.6, 0.7, 0.2])  # the last one is taken for class 1
    assert median_correct(values, np.array([0, 0, 0, 0]), 0) == 2


def test_lower_middle_of_an_even_number():
    values = probabilities([0.9, 0.6, 0.7, 0.8])
    assert median_correct(values, np.array([0, 0, 0, 0]), 0) == 2


def test_equal_confidences_go_by_index():
    values = probabilities([0.8, 0.8, 0.8])
    assert median_correct(values, np.array([0, 0, 0]), 0) == 1


def test_other_classes_and_wrong_answers_do_not_count():
    values = probabilities([0.9, 0.1, 0.2, 0.8])
    labels = np.array([0, 1, 1, 1])  # the last one is a mistake
    assert median_correct(values, labels, 1) == 2  # 0.8 of [0.8, 0.9]


def test_none_if_nothing_is_classified_correctly():
    assert median_correct(probabilities([0.1]), np.array([0]), 0) is None
