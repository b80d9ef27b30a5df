import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fervis.analyses import gradcam
from fervis.draw import png
from fervis.errors import AnalysisError
from tests.analyses.conftest import one
from tests.analyses.stand_in import classifier, gap_network


def test_gradcam_equals_cam_over_hw_on_a_gap_network(subjects):
    net = gap_network()
    results = gradcam.compute(net, subjects, gradcam.Options())
    maps = net.network[:2](net.to_input(subjects.images)).detach()
    for result, feature, label in zip(results, maps, subjects.labels, strict=True):
        weight = net.network[4].weight[label].detach()
        cam = (weight[:, None, None] * feature).sum(0) / feature[0].numel()
        np.testing.assert_allclose(result.arrays["evidence"], cam, atol=1e-6)
        np.testing.assert_allclose(result.arrays["cam"], cam.clamp(min=0), atol=1e-6)


def test_the_sum_before_the_relu_is_the_logit_without_its_bias(subjects):
    net = gap_network()
    for result in gradcam.compute(net, subjects, gradcam.Options(target="predicted")):
        bias = net.network[4].bias[result.numbers["target"]].item()
        np.testing.assert_allclose(
            result.arrays["evidence"].sum(), result.numbers["logit"] - bias, rtol=1e-5
        )


def test_the_map_is_resized_bilinearly_without_aligned_corners(subjects):
    torch.manual_seed(3)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 5, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.LazyLinear(3),
    )
    module(torch.zeros(1, 1, 12, 10))
    net = classifier(module, (1, 12, 10))
    for result in gradcam.compute(net, subjects, gradcam.Options(layer="2")):
        raw = torch.from_numpy(result.arrays["evidence"]).clamp(min=0)[None, None]
        expected = F.interpolate(raw, (12, 10), mode="bilinear", align_corners=False)[0, 0]
        assert result.arrays["evidence"].shape == (5, 4)
        np.testing.assert_allclose(result.arrays["cam"], expected, atol=1e-6)


def test_a_batch_gives_what_each_picture_gives_alone(subjects):
    net = gap_network()
    for place, result in enumerate(gradcam.compute(net, subjects, gradcam.Options())):
        (alone,) = gradcam.compute(net, one(subjects, place), gradcam.Options())
        np.testing.assert_allclose(result.arrays["cam"], alone.arrays["cam"], atol=1e-5)


def test_no_positive_evidence_is_said_and_not_stretched_to_noise(subjects, context):
    def oppose(network):
        network[4].weight.copy_(-network[4].weight.abs())

    net = gap_network(change=oppose)
    (result, *_) = gradcam.compute(net, subjects, gradcam.Options())
    assert result.arrays["cam"].max() == 0
    figure = gradcam.draw(result, gradcam.Options(), context)
    assert "no positive evidence" in figure.remarks[0].msgid
    np.testing.assert_array_equal(png.decode(figure.panels[1].png), context.image[:, :, 0])


def test_uniform_evidence_is_drawn_at_full_scale(subjects, context):
    (result, *_) = gradcam.compute(gap_network(), subjects, gradcam.Options())
    flat = type(result)(
        {**result.arrays, "cam": np.full((12, 10), 0.02, np.float32)}, result.numbers
    )
    pixels = png.decode(gradcam.draw(flat, gradcam.Options(), context).panels[2].variants["jet"])
    assert (pixels == [127, 0, 0]).all()


def test_a_layer_without_a_spatial_map_is_refused(subjects):
    with pytest.raises(AnalysisError, match="no spatial map"):
        gradcam.compute(gap_network(), subjects, gradcam.Options(layer="4"))


def test_a_layer_that_leads_nowhere_is_refused(subjects):
    class Forked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.side, self.main = torch.nn.Conv2d(1, 2, 3), gap_network().network

        def forward(self, inputs):
            self.side(inputs)
            return self.main(inputs)

    with pytest.raises(AnalysisError, match="does not lead"):
        gradcam.compute(classifier(Forked(), (1, 12, 10)), subjects, gradcam.Options(layer="side"))


def test_the_layer_is_checked_before_anything_runs():
    assert gradcam.Options(layer="conv2.relu").layers() == ("conv2.relu",)
    assert gradcam.Options().layers() == ()
