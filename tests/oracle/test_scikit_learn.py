"""Every rate of a confusion matrix as scikit-learn computes it, to the last digit."""

import numpy as np
import pytest
from sklearn import metrics

from fervis.analyses import Subjects, confusion
from tests.analyses.conftest import rngs


@pytest.mark.parametrize("seed", range(4))
def test_rates_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, 60, p=[0.5, 0.2, 0.2, 0.1, 0.0])  # nothing is of class 4
    probabilities = rng.dirichlet(np.ones(5), 60).astype(np.float32)
    predicted = probabilities.argmax(1)
    subjects = Subjects(
        np.zeros((0, 1, 1, 1), np.uint8), labels, rngs(1), probabilities=probabilities
    )
    (result,) = confusion.compute(None, subjects, confusion.Options())
    known = {"labels": range(5), "zero_division": np.nan}
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, **known
    )
    there = support > 0
    np.testing.assert_array_equal(
        result.arrays["counts"], metrics.confusion_matrix(labels, predicted, labels=range(5))
    )
    np.testing.assert_array_equal(
        result.arrays["shares"][there],
        metrics.confusion_matrix(labels, predicted, labels=range(5), normalize="true")[there],
    )
    np.testing.assert_array_equal(result.arrays["support"], support)
    np.testing.assert_array_equal(result.arrays["precision"], precision)
    np.testing.assert_array_equal(result.arrays["recall"], recall)
    np.testing.assert_array_equal(result.arrays["f1"][there], f1[there])
    assert np.isnan(result.arrays["f1"][~there]).all()
    assert result.numbers["accuracy"] == metrics.accuracy_score(labels, predicted)
