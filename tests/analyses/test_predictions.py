import dataclasses

import numpy as np
import pytest

from fervis.analyses import predictions
from tests.analyses.stand_in import gap_network


def test_probabilities_are_the_networks_and_come_in_class_order(subjects, context):
    net = gap_network()
    results = predictions.compute(net, subjects, predictions.Options())
    expected = net.probabilities(subjects.images)
    for result, row in zip(results, expected, strict=True):
        np.testing.assert_allclose(result.arrays["probabilities"], row, rtol=1e-6)
    (table,) = predictions.draw(results[0], predictions.Options(), context).tables
    assert [row[0] for row in table.rows] == list(context.classes)
    assert [row[1] for row in table.rows] == pytest.approx(expected[0], abs=1e-4)


@pytest.mark.parametrize(
    ("label", "words"), [(0, "is right"), (1, "the true class is"), (None, "The network says")]
)
def test_the_caption_says_whether_the_network_is_right(context, label, words):
    result = predictions.Result({"probabilities": np.array([0.7, 0.2, 0.1], np.float32)})
    here = dataclasses.replace(context, label=label)
    assert words in predictions.draw(result, predictions.Options(), here).caption.msgid
