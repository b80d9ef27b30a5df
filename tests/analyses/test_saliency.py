import numpy as np
import pytest
import torch

from fervis.analyses import saliency
from fervis.draw import png
from fervis.errors import AnalysisError
from tests.analyses.conftest import one, subjects_of
from tests.analyses.stand_in import gap_network, linear_network


def test_saliency_of_a_linear_network_is_the_absolute_weight(subjects):
    net = linear_network()
    results = saliency.compute(net, subjects, saliency.Options())
    for result, label in zip(results, subjects.labels, strict=True):
        weight = net.network[1].weight[label].detach().numpy().reshape(1, 12, 10)
        np.testing.assert_allclose(result.arrays["gradient"], weight, rtol=1e-5)
        np.testing.assert_allclose(result.arrays["saliency"], np.abs(weight[0]), rtol=1e-5)


def test_saliency_of_a_colour_picture_is_the_largest_channel():
    net = linear_network((3, 6, 5))
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    result = saliency.compute(net, subjects_of(images, None), saliency.Options(target=1))[0]
    weight = net.network[1].weight[1].detach().numpy().reshape(3, 6, 5)
    np.testing.assert_allclose(result.arrays["saliency"], np.abs(weight).max(0), rtol=1e-5)


def test_a_batch_gives_what_each_picture_gives_alone(subjects):
    net = gap_network()
    together = saliency.compute(net, subjects, saliency.Options())
    for place, result in enumerate(together):
        (alone,) = saliency.compute(net, one(subjects, place), saliency.Options())
        np.testing.assert_allclose(result.arrays["gradient"], alone.arrays["gradient"], atol=1e-5)


@pytest.mark.parametrize(("target", "expected"), [("true", [0, 1, 2, 1, 0]), (2, [2] * 5)])
def test_the_class_asked_for_is_explained(subjects, target, expected):
    options = saliency.Options(target=target)
    results = saliency.compute(gap_network(), subjects, options)
    assert [result.numbers["target"] for result in results] == expected


def test_without_labels_the_predicted_class_is_explained(images):
    results = saliency.compute(gap_network(), subjects_of(images, None), saliency.Options())
    assert all(result.numbers["target"] == result.numbers["predicted"] for result in results)


@pytest.mark.parametrize(("target", "words"), [("true", "no labels"), (3, "0 to 2")])
def test_an_impossible_target_is_refused_with_a_way_out(images, target, words):
    with pytest.raises(AnalysisError, match=words):
        saliency.compute(gap_network(), subjects_of(images, None), saliency.Options(target=target))


def test_the_quantile_changes_the_figure_only(subjects, context):
    half, most = saliency.Options(), saliency.Options(quantile=0.9)
    assert half.numbers_decided_by() == most.numbers_decided_by()
    (result, *_) = saliency.compute(gap_network(), subjects, half)
    covered = png.decode(saliency.draw(result, most, context).panels[2].png)
    kept = result.arrays["saliency"] >= np.quantile(result.arrays["saliency"], 0.9)
    np.testing.assert_array_equal(covered[kept], context.image[kept][:, 0])
    assert len(np.unique(covered[~kept])) == 1


def test_a_network_that_ignores_the_picture_is_said_to(subjects, context):
    net = linear_network()
    torch.nn.init.zeros_(net.network[1].weight)
    (result, *_) = saliency.compute(net, subjects, saliency.Options())
    figure = saliency.draw(result, saliency.Options(), context)
    assert len(figure.remarks) == 1
    assert figure.panels[1].colour_bar.high == 0


def test_a_map_of_another_size_than_the_picture_is_still_drawn(subjects, context):
    (result, *_) = saliency.compute(linear_network((1, 12, 10)), subjects, saliency.Options())
    grown = type(result)(
        {name: array.repeat(2, -1).repeat(2, -2) for name, array in result.arrays.items()},
        result.numbers,
    )
    panels = saliency.draw(grown, saliency.Options(), context).panels
    assert [(panel.width, panel.height) for panel in panels] == [(10, 12), (20, 24), (10, 12)]
