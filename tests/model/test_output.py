"""Logits are explained; how they were had is checked on numbers and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.errors import ModelError
from fervis.model.classifier import Classifier, wrap
from fervis.model.options import ModelOptions


class Ends(nn.Module):
    """A linear network, the logits of which are known, behind some end."""

    def __init__(self, end: Callable[[Tensor], Any], classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fc = nn.Linear(64, classes)
        self.end = end

    def forward(self, x: Tensor) -> Any:
        return self.end(self.fc(x.flatten(1)))


def classifier_of(end: Callable[[Tensor], Any], classes: int = 3, **given: Any) -> Classifier:
    options = ModelOptions.model_validate({"factory": "m:n", "size": 8, **given})
    network = Ends(end, 1 if given.pop("single", False) else classes)
    return wrap(network, options, classes=classes)


@pytest.mark.parametrize(
    "end",
    [
        nn.Softmax(1), nn.LogSoftmax(-1), lambda x: F.softmax(x, 1), lambda x: x.softmax(-1),
        lambda x: torch.log_softmax(x, 1), lambda x: F.log_softmax(x, dim=1),
        nn.Sequential(nn.Identity(), nn.Softmax(1)), lambda x: {"y": (x * 0, x.softmax(1))}["y"][1],
        lambda x: (x.softmax(1), x[:, :2]),
    ],
)  # fmt: skip
def test_a_final_softmax_is_skipped_and_gradients_are_the_logits(end: Any) -> None:
    classifier = classifier_of(end)
    assert str(classifier.explains).startswith("logits, before the network's final")
    inputs = torch.randn(2, 1, 8, 8, requires_grad=True)
    logits = classifier.logits(inputs)
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), inputs)
    weight = classifier.network.fc.weight[1].view(8, 8)
    assert torch.allclose(gradient, weight.expand(2, 1, 8, 8), atol=1e-6)


def test_a_softmax_that_cannot_be_skipped_means_log_probabilities_and_is_told() -> None:
    classifier = classifier_of(lambda x: x.exp() / x.exp().sum(1, keepdim=True))
    assert str(classifier.explains).startswith("log-probabilities")
    assert any("log-probabilities" in warning for warning in classifier.warnings)
    inputs = torch.randn(2, 1, 8, 8)
    logits = classifier.logits(inputs)
    assert torch.allclose(logits.exp().sum(1), torch.ones(2), atol=1e-5)


def test_a_softmax_before_the_end_is_left_alone() -> None:
    """Attention ends in a softmax, too; only the network's last call counts."""
    classifier = classifier_of(lambda x: x * x.softmax(1))
    assert str(classifier.explains) == "logits, as the network returns them"


@pytest.mark.parametrize("end", [nn.Softmax(0), lambda x: F.softmax(x, 0)])
def test_a_softmax_over_the_batch_is_a_warning(end: Any) -> None:
    classifier = classifier_of(end)
    assert any("other pictures in the batch" in warning for warning in classifier.warnings)


def test_what_the_report_says_is_checked() -> None:
    classifier_of(lambda x: x, output="logits")
    classifier_of(nn.Softmax(1), output="probabilities")
    classifier_of(nn.LogSoftmax(1), output="log_probabilities")
    for end, said in (
        (nn.Softmax(1), "log_probabilities"),
        (nn.LogSoftmax(1), "probabilities"),
        (lambda x: x, "probabilities"),
    ):
        with pytest.raises(ModelError, match=f"model.output says {said}"):
            classifier_of(end, output=said)
    doubtful = classifier_of(nn.Softmax(1), output="logits")
    assert any("look like probabilities" in warning for warning in doubtful.warnings)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda x: x, None), (nn.Sigmoid(), None), (lambda x: torch.sigmoid(x), None),
        (lambda x: x.squeeze(1), None), (lambda x: 1 / (1 + (-x).exp()), "probabilities"),
    ],
)  # fmt: skip
def test_one_score_for_two_classes_is_half_for_each(end: Any, said: str | None) -> None:
    options = ModelOptions.model_validate({"factory": "m:n", "size": 8, "output": said})
    classifier = wrap(Ends(end, 1), options, classes=2)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
    inputs = classifier.to_input(images)
    score = classifier.network.fc(inputs.flatten(1))
    logits = classifier.logits(inputs)
    assert torch.allclose(logits, torch.cat([-score / 2, score / 2], 1), atol=1e-4)
    expected = torch.cat([1 - score.sigmoid(), score.sigmoid()], 1).detach().numpy()
    np.testing.assert_allclose(classifier.probabilities(images), expected, atol=1e-5)


def test_sigmoids_of_many_classes_are_taken_off_and_told() -> None:
    classifier = classifier_of(nn.Sigmoid())
    inputs = torch.randn(2, 1, 8, 8)
    expected = classifier.network.fc(inputs.flatten(1))
    assert torch.allclose(classifier.logits(inputs), expected, atol=1e-5)
    assert any("sigmoid" in warning for warning in classifier.warnings)


class Answer:
    def __init__(self, scores: Tensor) -> None:
        self.hidden, self.logits = scores[:, :2], scores


@pytest.mark.parametrize(
    "end",
    [
        lambda x: (x[:, :1], [x]), lambda x: {"loss": x.sum(), "preds": x, "aux": x * 2},
        lambda x: {"aux": x * 2, "logits": x}, lambda x: x[:, :, None, None], Answer,
        lambda x: (x.argmax(1), x),
    ],
)  # fmt: skip
def test_the_scores_are_found_in_what_is_returned(end: Any) -> None:
    classifier = classifier_of(end)
    inputs = torch.randn(3, 1, 8, 8)
    expected = classifier.network.fc(inputs.flatten(1))
    assert torch.allclose(classifier.logits(inputs), expected, atol=1e-6)


@pytest.mark.parametrize("end", [lambda x: x[:, :2], lambda x: "scores", lambda x: x.argmax(1)])
def test_an_output_without_a_score_per_class_is_told(end: Any) -> None:
    with pytest.raises(ModelError, match="3 classes"):
        classifier_of(end)


def test_an_output_of_nan_is_told_when_the_network_is_loaded() -> None:
    with pytest.raises(ModelError, match="NaN or infinite"):
        classifier_of(lambda x: x / 0)
