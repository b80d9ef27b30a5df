import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from fervis.analyses import Subjects, _ascent, filters
from fervis.draw import png
from tests.analyses.conftest import rngs
from tests.analyses.stand_in import classifier, deep_network

NOTHING = Subjects(np.zeros((0, 12, 10, 1), np.uint8), None, rngs(1))


def compute(net, **options):
    fresh = dataclasses.replace(NOTHING, rngs=rngs(1))
    (result,) = filters.compute(net, fresh, filters.Options.model_validate(options))
    return result


@pytest.mark.parametrize("layer", ["conv2", "bn2", "conv2.relu", "pool1", "conv3", "fc1"])
def test_every_living_filter_ends_higher_than_it_started(layer):
    result = compute(deep_network(), layer=layer, steps=12)
    living = ~result.arrays["dead"]
    assert living.any()
    assert (result.arrays["end"] > result.arrays["start"])[living].all()


def test_a_sleeping_filter_is_woken_through_its_value_before_the_relu():
    def silence(network):
        network[4].bias.copy_(torch.full((8,), -0.5))
        network[4].weight.mul_(0.2)

    result = compute(deep_network(change=silence), layer="conv2.relu", steps=40)
    assert (result.arrays["start"] == 0).all()
    assert (result.arrays["end"] > 0).any()


def test_a_dead_filter_is_flagged_and_crossed_out(context):
    def cut(network):
        network[3].weight[2].zero_()

    result = compute(deep_network(change=cut), layer="conv2.relu", steps=5)
    dead = np.flatnonzero(result.arrays["dead"])
    assert 2 in dead
    figure = filters.draw(result, filters.Options(layer="conv2.relu"), context)
    drawn = png.decode(figure.panels[2].png)
    assert set(np.unique(drawn)) == {128, 200}
    assert drawn[0, 0] == drawn[-1, -1] == drawn[0, -1] == drawn[-1, 0] == 200
    assert figure.panels[2].title.msgid == "{channel} dead"
    assert "2" in figure.remarks[0].values["channels"]


def test_a_filter_climbs_the_same_way_alone_as_among_others():
    together = compute(deep_network(), layer="conv3", steps=20)
    for channel in (0, 5):
        alone = compute(deep_network(), layer="conv3", steps=20, channels=[channel])
        np.testing.assert_allclose(
            alone.arrays["end"], together.arrays["end"][[channel]], rtol=1e-3
        )


def test_a_step_has_the_size_of_the_rate(context):
    one, two = (compute(deep_network(), layer="conv2", steps=steps, rate=0.5) for steps in (1, 2))
    step = two.arrays["pictures"] - one.arrays["pictures"]
    np.testing.assert_allclose(np.sqrt((step**2).mean(axis=(1, 2, 3))), 0.5, rtol=1e-3)


def test_one_linear_filter_on_its_own_size_becomes_its_kernel():
    torch.manual_seed(0)
    net = classifier(nn.Sequential(nn.Conv2d(1, 3, 5), nn.Flatten()), (1, 5, 5))
    result = compute(net, layer="conv1", steps=200)
    kernels = net.network[0].weight.detach().numpy().reshape(3, -1)
    pictures = result.arrays["pictures"].reshape(3, -1)
    for kernel, picture in zip(kernels, pictures, strict=True):
        cosine = kernel @ picture / np.linalg.norm(kernel) / np.linalg.norm(picture)
        assert cosine > 0.999


def test_colour_pictures_are_climbed_and_drawn_in_colour(context):
    torch.manual_seed(0)
    net = classifier(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
        ),
        (3, 8, 9),
    )
    result = compute(net, layer="conv1", steps=3)
    assert result.arrays["pictures"].shape == (4, 3, 8, 9)
    panel = filters.draw(result, filters.Options(layer="conv1"), context).panels[0]
    assert png.decode(panel.png).shape == (8, 9, 3)


@pytest.mark.parametrize("restraint", [{"jitter": 2}, {"total_variation": 0.5}, {"blur": 0.7}])
def test_a_restraint_is_off_by_default_and_named_in_the_caption(restraint, context):
    plain = compute(deep_network(), layer="conv2", steps=8)
    other = compute(deep_network(), layer="conv2", steps=8, **restraint)
    assert np.abs(plain.arrays["pictures"] - other.arrays["pictures"]).max() > 0.01
    options = filters.Options.model_validate({"layer": "conv2", **restraint})
    words = filters.draw(other, options, context).caption.values["restraint"]
    assert "without" not in words.msgid
    assert (
        "without"
        in filters.draw(plain, filters.Options(layer="conv2"), context)
        .caption.values["restraint"]
        .msgid
    )


@pytest.mark.parametrize("restraint", [{"total_variation": 0.5}, {"blur": 0.7}])
def test_smoothing_makes_pictures_smoother(restraint):
    def roughness(result):
        pictures = result.arrays["pictures"]
        scale = pictures.std(axis=(1, 2, 3), keepdims=True)
        return np.abs(np.diff(pictures / scale, axis=3)).mean()

    plain = compute(deep_network(), layer="conv2", steps=15)
    assert roughness(compute(deep_network(), layer="conv2", steps=15, **restraint)) < roughness(
        plain
    )


def test_blur_keeps_a_flat_picture_and_the_mean_of_a_point():
    flat = torch.full((1, 2, 9, 9), 3.0)
    torch.testing.assert_close(_ascent.blurred(flat, 1.0), flat)
    point = torch.zeros(1, 1, 21, 21)
    point[0, 0, 10, 10] = 1
    assert float(_ascent.blurred(point, 1.5).sum()) == pytest.approx(1, abs=1e-5)


def test_a_filter_that_full_steps_leap_over_rises_with_shorter_ones():
    """A channel that prefers silence: its best picture is near the start."""

    def prefer_silence(network):
        network[3].weight.neg_().clamp_(max=0)

    result = compute(deep_network(change=prefer_silence), layer="conv2", steps=16, rate=20)
    living = ~result.arrays["dead"]
    assert living.any()
    assert (result.arrays["end"] > result.arrays["start"])[living].all()
    assert (result.arrays["rates"] < 20).any()


def test_bfloat16_shows_the_way_only_to_filters_that_it_serves_well(monkeypatch):
    """The stand-in's bfloat16 is float32 that points elsewhere for all channels but two."""
    net, good = deep_network(), [1, 4]

    def quick_slope(net, layer, channels, start, *, searching=False):
        slope = _ascent.slope_of(net, layer, channels)
        fine = torch.isin(channels, torch.tensor(good))[:, None, None, None]
        return lambda pictures: torch.where(fine, slope(pictures), -slope(pictures))

    plain = compute(net, layer="conv3", steps=8)
    assert not plain.arrays["rough"].any()
    monkeypatch.setattr(net._paths, "bfloat16", True)
    monkeypatch.setattr(_ascent._tail, "quick_slope", quick_slope)
    monkeypatch.setattr(
        _ascent, "best_slope", lambda net, *asked: _ascent.slope_of(net, *asked[:2])
    )
    found = compute(net, layer="conv3", steps=8)
    assert list(np.flatnonzero(found.arrays["rough"])) == good
    np.testing.assert_allclose(found.arrays["end"], plain.arrays["end"], rtol=1e-3)
    alone = compute(net, layer="conv3", steps=8, channels=[3, 4])
    assert list(alone.arrays["rough"]) == [False, True]
