"""Gradients and Grad-CAM as captum computes them on the bare network."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam, Saliency
from torch.nn import functional as F

from fervis.analyses import gradcam, saliency
from tests.analyses.conftest import subjects_of
from tests.analyses.stand_in import deep_network

LABELS = np.array([0, 2, 1])


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (3, 12, 10, 1), dtype=np.uint8)


def test_saliency_agrees_with_captum(pictures):
    net = deep_network()
    expected = Saliency(net.network).attribute(
        net.to_input(pictures).requires_grad_(True), target=torch.from_numpy(LABELS)
    )
    results = saliency.compute(net, subjects_of(pictures, LABELS), saliency.Options())
    for result, theirs in zip(results, expected.numpy(), strict=True):
        np.testing.assert_allclose(result.arrays["saliency"], theirs[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("name", "place"), [("conv2", 3), ("pool1", 6), ("conv3.relu", 8)])
def test_gradcam_agrees_with_captum(pictures, name, place):
    net = deep_network()
    inputs, targets = net.to_input(pictures), torch.from_numpy(LABELS)
    expected = (
        LayerGradCam(net.network, net.network[place])
        .attribute(inputs, target=targets, relu_attributions=False)
        .detach()
    )
    large = F.interpolate(expected.clamp(min=0), (12, 10), mode="bilinear", align_corners=False)
    results = gradcam.compute(net, subjects_of(pictures, LABELS), gradcam.Options(layer=name))
    for result, raw, cam in zip(results, expected[:, 0], large[:, 0], strict=True):
        np.testing.assert_allclose(result.arrays["evidence"], raw, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(result.arrays["cam"], cam, rtol=1e-4, atol=1e-7)


def test_gradcam_is_the_papers_formula_in_float64(pictures):
    net = deep_network()
    maps = net.network[:6].double()(net.to_input(pictures).double()).detach().requires_grad_(True)
    logits = net.network[6:].double()(maps * 1)
    (gradients,) = torch.autograd.grad(logits[range(3), LABELS].sum(), maps)
    expected = (gradients.mean((2, 3), keepdim=True) * maps).sum(1)
    results = gradcam.compute(
        deep_network(), subjects_of(pictures, LABELS), gradcam.Options(layer="conv2.relu")
    )
    for result, raw in zip(results, expected.detach().numpy(), strict=True):
        np.testing.assert_allclose(result.arrays["evidence"], raw, rtol=1e-4, atol=1e-7)
