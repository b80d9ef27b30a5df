import dataclasses

import numpy as np
import pytest

from fervis.analyses import Result, Subjects, _surrogate, lime
from fervis.analyses._superpixels import segments_of, without_detail
from fervis.draw import png
from fervis.model.mosaics import Mosaics
from tests.analyses.conftest import one, rngs, subjects_of
from tests.analyses.stand_in import gap_network

FEW = lime.Options(samples=96, segments=12)


class Additive:
    """The probability of class 0 is 0.2 plus the share of bright pixels, area by area."""

    def __init__(self, image: np.ndarray, segments: np.ndarray, effects: np.ndarray) -> None:
        self.image, self.segments, self.effects = image, segments, effects

    def mosaic_probabilities(self, mosaics: Mosaics, *, sampling: bool = False) -> np.ndarray:
        return self.probabilities(mosaics.pictures())

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        shown = np.stack(
            [
                (images == self.image)[:, self.segments == k].all(axis=(1, 2))
                for k in range(len(self.effects))
            ],
            axis=1,
        )
        first = 0.5 + shown @ self.effects
        return np.stack([first, 1 - first], axis=1).astype(np.float32)


def fresh(subjects: Subjects) -> Subjects:
    return dataclasses.replace(subjects, rngs=rngs(len(subjects.images)))


def noisy() -> np.ndarray:
    """One picture 16×16 of 4×4 areas, each of its own brightness, all but two with some noise."""
    rng = np.random.default_rng(1)
    areas = rng.integers(0, 230, (4, 4, 1)).repeat(4, 0).repeat(4, 1)
    noise = rng.integers(0, 26, (16, 16, 1))
    noise[:4, :8] = 0
    return (areas + noise).astype(np.uint8)[np.newaxis]


def test_an_additive_network_gives_its_effects_back():
    image = noisy()
    segments = segments_of(image[0], 12)
    effects = np.linspace(-0.04, 0.04, segments.max() + 1)
    effects[[np.ptp(image[0, segments == k]) == 0 for k in range(len(effects))]] = 0
    (result,) = lime.compute(
        Additive(image[0], segments, effects),
        subjects_of(image, None),
        lime.Options(samples=3000, segments=12, target=0),
    )
    np.testing.assert_array_equal(result.arrays["segments"], segments)
    np.testing.assert_allclose(result.arrays["weights"], effects, atol=5e-4)
    assert result.numbers["r2"] > 0.999
    assert result.numbers["spread"] < 1e-3


def test_a_flat_superpixel_cannot_matter(images):
    image = noisy()
    (result,) = lime.compute(
        gap_network(), subjects_of(image, None), lime.Options(samples=600, segments=12)
    )
    segments = result.arrays["segments"]
    flat = [k for k in range(segments.max() + 1) if np.ptp(image[0, segments == k]) == 0]
    assert flat
    others = np.delete(result.arrays["weights"], flat)
    assert np.abs(result.arrays["weights"][flat]).max() < 0.1 * np.abs(others).max()


@pytest.mark.parametrize("channels", [1, 3])
def test_segments_are_numbered_from_zero_without_a_gap(channels):
    image = np.random.default_rng(0).integers(0, 256, (24, 20, channels), dtype=np.uint8)
    segments = segments_of(image, 16)
    assert segments.shape == (24, 20)
    assert set(np.unique(segments)) == set(range(segments.max() + 1))


def test_segments_follow_the_picture_and_not_a_chequered_board():
    image = np.zeros((48, 48, 1), np.uint8)
    image[:, 21:] = 255
    assert all(
        np.ptp(image[segments_of(image, 64) == k]) == 0
        for k in range(segments_of(image, 64).max() + 1)
    )


def test_a_hidden_segment_has_its_own_mean():
    image = noisy()[0]
    segments = segments_of(image, 12)
    filled = without_detail(image, segments)
    for k in range(segments.max() + 1):
        assert (filled[segments == k] == int(image[segments == k].mean())).all()


def test_the_samples_asked_for_are_used_and_begin_with_the_picture(subjects):
    net = gap_network()
    for result, row in zip(
        lime.compute(net, subjects, FEW), net.probabilities(subjects.images), strict=True
    ):
        assert result.arrays["masks"].shape[0] == len(result.arrays["responses"]) == 96
        assert result.arrays["responses"][0] == pytest.approx(
            row[result.numbers["target"]], abs=1e-6
        )


def test_a_batch_gives_what_each_picture_gives_alone(subjects):
    together = lime.compute(gap_network(), subjects, FEW)
    for place, result in enumerate(together):
        (alone,) = lime.compute(gap_network(), one(subjects, place), FEW)
        np.testing.assert_array_equal(result.arrays["masks"], alone.arrays["masks"])
        np.testing.assert_allclose(result.arrays["weights"], alone.arrays["weights"], atol=1e-5)


def test_both_ways_to_fit_give_the_same_line():
    rng = np.random.default_rng(3)
    masks = np.concatenate([np.ones((1, 9), np.uint8), rng.integers(0, 2, (80, 9), np.uint8)])
    masks[7] = 0  # everything hidden: the farthest row there is
    image = rng.integers(0, 256, (6, 6, 1), np.uint8)
    mosaics = Mosaics(image, image, np.arange(36).reshape(6, 6) // 4, masks)
    probabilities = rng.random((81, 3)).astype(np.float32)
    package = _surrogate.by_package()
    for label in range(3):
        own, theirs = (fit(mosaics, probabilities, label) for fit in (_surrogate.ridge, package))
        np.testing.assert_allclose(own.weights, theirs.weights, rtol=1e-9, atol=1e-12)
        assert own.intercept == pytest.approx(theirs.intercept, rel=1e-9)
        assert own.r2 == pytest.approx(theirs.r2, rel=1e-9)


def test_the_spread_told_is_the_one_that_other_seeds_show():
    net, image = gap_network(), noisy()
    options = lime.Options(samples=300, segments=12, design="lime", target=0)

    def weights(seed: int) -> Result:
        subjects = subjects_of(image, None)
        return lime.compute(net, dataclasses.replace(subjects, rngs=rngs(1, seed)), options)[0]

    results = [weights(seed) for seed in range(12)]
    seen = np.sqrt(np.stack([r.arrays["weights"] for r in results]).var(0, ddof=1).mean())
    told = np.sqrt(np.mean([r.numbers["spread"] ** 2 for r in results]))
    assert 0.6 < told / seen < 1.6


def test_nothing_is_printed(subjects, capfd):
    lime.compute(gap_network(), subjects, FEW)
    assert capfd.readouterr() == ("", "")


def test_for_and_against_differ_without_colour(context):
    segments = np.arange(12)[:, None].repeat(10, 1) // 6
    result = Result(
        {
            "weights": np.array([0.5, -0.5], np.float32),
            "segments": segments,
            "masks": np.ones((9, 2), np.uint8),
        },
        {"target": 0, "predicted": 1, "r2": 0.9, "spread": 0.01, "seeds": 3, "intercept": 0.1},
    )
    _, both, only = lime.draw(result, FEW, context).panels
    gray = png.decode(both.png).mean(axis=2)
    middle = gray.shape[0] // 2
    plain, striped = gray[4 : middle - 4, 4:-4], gray[middle + 4 : -4, 4:-4]
    assert np.abs(np.diff(striped, axis=1)).mean() > 1.5 * np.abs(np.diff(plain, axis=1)).mean()
    covered = png.decode(only.png)
    np.testing.assert_array_equal(covered[:6], context.image[:6, :, 0])
    assert len(np.unique(covered[6:])) == 1


def test_a_loose_fit_and_a_class_without_support_are_said(context):
    result = Result(
        {
            "weights": np.array([-0.5, -0.1], np.float32),
            "segments": np.arange(12)[:, None].repeat(10, 1) // 6,
            "masks": np.ones((9, 2), np.uint8),
        },
        {"target": 0, "predicted": 1, "r2": 0.2, "spread": 0.01, "seeds": 3, "intercept": 0.1},
    )
    assert len(lime.draw(result, FEW, context).remarks) == 2
