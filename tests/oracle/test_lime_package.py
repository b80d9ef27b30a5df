"""The same masks through the lime package's own loop give the same weights."""

import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer

from fervis.analyses import lime
from fervis.model.classifier import Classifier
from tests.analyses.conftest import subjects_of
from tests.analyses.stand_in import classifier, gap_network


class Dictated:
    """A random state that deals out the masks it was given."""

    def __init__(self, masks: np.ndarray) -> None:
        self.masks = masks

    def randint(self, low: int, high: int, size: int | None = None) -> np.ndarray:
        return self.masks.ravel() if size else 0


@pytest.mark.parametrize("design", ["balanced", "lime"])
@pytest.mark.parametrize("channels", [1, 3])
def test_weights_agree_with_the_lime_package(design, channels):
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (2, 16, 16, channels), dtype=np.uint8)
    net = gap_network() if channels == 1 else colour_network()
    options = lime.Options(samples=200, segments=12, design=design, target=1)
    for image, result in zip(
        images, lime.compute(net, subjects_of(images, None), options), strict=True
    ):
        theirs = LimeImageExplainer(kernel_width=0.25, feature_selection="none", random_state=0)
        theirs.random_state = Dictated(result.arrays["masks"].astype(int))
        explanation = theirs.explain_instance(
            image[:, :, 0] if channels == 1 else image,
            lambda batch: net.probabilities(np.asarray(batch)[..., :channels]),
            labels=(1,),
            top_labels=None,
            num_samples=200,
            batch_size=64,
            random_seed=0,
            segmentation_fn=lambda _, r=result: r.arrays["segments"],
        )
        expected = np.zeros(len(result.arrays["weights"]))
        for segment, weight in explanation.local_exp[1]:
            expected[segment] = weight
        np.testing.assert_allclose(result.arrays["weights"], expected, atol=1e-4)
        assert result.numbers["r2"] == pytest.approx(explanation.score, abs=1e-4)


def test_row_weights_are_the_published_ones():
    from sklearn.linear_model import Ridge

    images = np.random.default_rng(5).integers(0, 256, (1, 16, 16, 1), dtype=np.uint8)
    (result,) = lime.compute(
        gap_network(), subjects_of(images, None), lime.Options(samples=120, segments=12, target=2)
    )
    masks = result.arrays["masks"].astype(float)
    distance = 1 - np.sqrt(masks.mean(axis=1))
    ridge = Ridge(alpha=1.0).fit(
        masks, result.arrays["responses"], np.sqrt(np.exp(-(distance**2) / 0.25**2))
    )
    np.testing.assert_allclose(result.arrays["weights"], ridge.coef_, atol=1e-5)
    assert result.numbers["intercept"] == pytest.approx(ridge.intercept_, abs=1e-5)


def colour_network() -> Classifier:
    import torch
    from torch import nn

    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    return classifier(module, (3, 16, 16))
