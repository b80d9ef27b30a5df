"""Every analysis on every strange network: what the author's own module says, or a refusal.

Nothing of `fervis.model` computes the expected values: the raw module is run with a forward hook
of PyTorch's own, and its gradients are autograd's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.analyses import REGISTRY, Context, Result, Subjects
from fervis.draw.figure import Figure
from fervis.errors import AnalysisError, LayerError
from fervis.model.classifier import Classifier, wrap
from fervis.text import Text
from tests.analyses.conftest import rngs
from tests.model.networks import STRANGE, Strange

COUNT = 2
CASES = [pytest.param(case, id=name) for name, case in STRANGE.items()]
MAPS = [pytest.param(case, id=name) for name, case in STRANGE.items() if case.maps]
NO_MAPS = [pytest.param(case, id=name) for name, case in STRANGE.items() if not case.maps]

FUNCTIONS = {
    "InplaceStatement", "FunctionalRelu", "compiled", "float64_weights", "Dense", "PreActivation",
    "LstmHead", "DropoutInTrainMode", "Squeezed", "WeightNorm",
}  # fmt: skip
"""Their last maps come out of a function, which no hook of PyTorch's sees."""


@dataclass(frozen=True)
class Raw:
    """The author's module without wrappers, in float32 and eval mode, and what feeds it."""

    case: Strange
    network: nn.Module

    def inputs(self, images: np.ndarray) -> Tensor:
        """Scaled to 0…1, normalised by the options' mean and std, channels first."""
        given = {"mean": 0.5, "std": 0.5, **self.case.options}
        values = (images / 255 - given["mean"]) / np.array(given["std"])
        plain = values.transpose(0, 3, 1, 2).astype(np.float32).copy()
        return torch.from_numpy(plain.ravel()).reshape(plain.shape)

    def logits(self, inputs: Tensor) -> Tensor:
        """(N, K) before any softmax, with gradients."""
        output = self.network(inputs)
        if isinstance(output, tuple):
            output = next(item for item in output if item.shape[1:] == (self.case.classes,))
        if isinstance(output, dict):
            output = output.get("logits", output.get("output"))
        if self.case.name == "handmade_softmax":
            output = output.log()
        if self.case.name == "one_sigmoid":
            output = torch.cat([-output, output], 1) / 2
        return output

    def captured(self, module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What came out of the last call of ``module``, and logits that follow from it."""
        outputs: list[Tensor] = []

        def keep(_: nn.Module, __: Any, output: Tensor) -> Tensor:
            outputs.append(output)
            return output.clone()  # later in-place operations change the copy

        handle = module.register_forward_hook(keep)
        logits = self.logits(inputs)
        handle.remove()
        return outputs[-1], logits

    @property
    def convolution(self) -> nn.Module:
        """The first one."""
        return next(m for m in self.network.modules() if isinstance(m, nn.Conv2d))


def raw(case: Strange) -> Raw:
    return _raw(case.name)


def classifier(case: Strange) -> Classifier:
    return _classifier(case.name)


@cache
def _raw(name: str) -> Raw:
    case = STRANGE[name]
    network: Any = case.network()
    network = getattr(network, "_orig_mod", network)
    network = getattr(network, "module", network).float().eval()
    if case.name in ("softmax_inside", "log_softmax_inside", "one_sigmoid"):
        network = network[:-1]
    if case.name.startswith("functional_") and "softmax" in case.name:
        network.how = lambda scores, _: scores
    found = Raw(case, network)
    if case.name == "Lazy":  # its weights come about at the first input, differently each time
        with torch.no_grad():
            network(found.inputs(case.images(COUNT)))
        network.load_state_dict(classifier(case).network.state_dict())
    return found


@cache
def _classifier(name: str) -> Classifier:
    case = STRANGE[name]
    options = case.model_options()
    return wrap(case.network(), options, classes=case.classes, precision="float32")


@pytest.fixture(autouse=True)
def _quiet_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    """F.dropout keeps everything, as `fervis.model` has it in a network that calls it always."""
    monkeypatch.setattr(F, "dropout", lambda x, *_, **__: x)


def run(name: str, case: Strange, **options: Any) -> tuple[np.ndarray, list[Result], Figure]:
    """The pictures, what an analysis computes of them, and the figure of the last one."""
    analysis = REGISTRY[name]
    images = case.images(COUNT) if analysis.SCOPE == "image" else case.images(0)
    chosen = analysis.Options.model_validate(options)
    count = len(images) if analysis.SCOPE == "image" else 1
    results = analysis.compute(classifier(case), Subjects(images, None, rngs(count)), chosen)
    assert len(results) == count
    for result in results:
        assert all(np.isfinite(array).all() for array in result.arrays.values())
    return images, list(results), analysis.draw(results[-1], chosen, context(case))


def context(case: Strange) -> Context:
    return Context(
        classes=tuple(Text.same(f"class {n}") for n in range(case.classes)), split="test", seed=0,
        image=case.images(COUNT)[-1], name="0", index=0,
        layers={layer.name: layer.shape for layer in classifier(case).layers.values()},
    )  # fmt: skip


def near(found: np.ndarray, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Equal within ``tolerance`` of the largest value."""
    wanted = expected.detach().numpy()
    scale = float(np.abs(wanted).max())
    np.testing.assert_allclose(found, wanted, atol=tolerance * scale + 1e-7, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_predictions_are_the_softmax_of_the_raw_scores(case: Strange) -> None:
    images, results, figure = run("predictions", case)
    with torch.no_grad():
        expected = raw(case).logits(raw(case).inputs(images)).softmax(1)
    near(np.stack([result.arrays["probabilities"] for result in results]), expected)
    assert figure.panels


@pytest.mark.parametrize("case", CASES)
def test_saliency_is_autograds_gradient_of_the_raw_score(case: Strange) -> None:
    images, results, _ = run("saliency", case)
    inputs = raw(case).inputs(images).requires_grad_()
    logits = raw(case).logits(inputs)
    chosen = logits.argmax(1)
    assert [result.numbers["target"] for result in results] == chosen.tolist()
    (expected,) = torch.autograd.grad(logits.gather(1, chosen[:, None]).sum(), inputs)
    near(np.stack([result.arrays["gradient"] for result in results]), expected, 1e-3)


def camera(values: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and evidence of the predicted class: Selvaraju et al. 2017, eq. 1 and 2."""
    (gradients,) = torch.autograd.grad(logits.amax(1).sum(), values)
    weights = gradients.mean((2, 3))
    return weights, torch.einsum("nc,nchw->nhw", weights, values)


@pytest.mark.parametrize("case", CASES)
def test_gradcam_at_the_first_convolution_is_that_of_a_plain_hook(case: Strange) -> None:
    images, results, _ = run("gradcam", case, layer="conv1")
    values, logits = raw(case).captured(raw(case).convolution, raw(case).inputs(images))
    weights, evidence = camera(values, logits)
    near(np.stack([result.arrays["weights"] for result in results]), weights, 1e-3)
    near(np.stack([result.arrays["evidence"] for result in results]), evidence, 1e-3)


@pytest.mark.parametrize("case", MAPS)
def test_gradcam_at_the_layer_it_chooses_itself_is_that_of_a_plain_hook(case: Strange) -> None:
    images, results, _ = run("gradcam", case)
    layer, inputs = classifier(case).last_spatial, raw(case).inputs(images)
    assert (layer.path == "") == (case.name in FUNCTIONS)
    if case.name in FUNCTIONS:
        values = torch.tensor(np.stack([result.arrays["evidence"] for result in results]))
        assert values.shape[1:] == layer.shape[1:]
        return
    module = raw(case).network.get_submodule(layer.path)
    weights, evidence = camera(*raw(case).captured(module, inputs))
    near(np.stack([result.arrays["weights"] for result in results]), weights, 1e-3)
    near(np.stack([result.arrays["evidence"] for result in results]), evidence, 1e-3)


@pytest.mark.parametrize("case", NO_MAPS)
def test_gradcam_of_a_network_without_maps_says_so_and_what_to_do(case: Strange) -> None:
    with pytest.raises(LayerError, match="no spatial maps") as caught:
        run("gradcam", case)
    assert "layer" in str(caught.value)


@pytest.mark.parametrize("case", NO_MAPS)
@pytest.mark.parametrize("name", ["gradcam", "activations"])
def test_a_layer_of_tokens_is_refused_with_what_to_name_instead(case: Strange, name: str) -> None:
    layers = classifier(case).layers.values()
    tokens = next(layer.name for layer in layers if len(layer.shape) == 2)
    more = {"image": "0"} if name == "activations" else {}
    with pytest.raises(AnalysisError, match="name a convolution"):
        run(name, case, layer=tokens, **more)


@pytest.mark.parametrize("case", CASES)
def test_activations_are_what_a_plain_hook_sees(case: Strange) -> None:
    images, results, _ = run("activations", case, layer="conv1", image="0", first=4)
    with torch.no_grad():
        values, _ = raw(case).captured(raw(case).convolution, raw(case).inputs(images))
    near(np.stack([result.arrays["maps"] for result in results]), values[:, :4])


@pytest.mark.parametrize("case", CASES)
def test_filters_rise_to_what_a_plain_hook_sees_of_their_pictures(case: Strange) -> None:
    _, (result,), _ = run("filters", case, layer="conv1", first=3, steps=4)
    arrays = {name: np.asarray(array) for name, array in result.arrays.items()}
    with torch.no_grad():
        values, _ = raw(case).captured(
            raw(case).convolution, torch.from_numpy(arrays["pictures"]).float()
        )
    objective = values.mean((2, 3)).diagonal()
    near(arrays["end"], objective, 1e-3)
    assert (arrays["end"] > arrays["start"])[~arrays["dead"]].all()
    assert not arrays["dead"].all()


@pytest.mark.parametrize("case", CASES)
def test_lime_shows_the_raw_network_what_it_says_it_shows(case: Strange) -> None:
    images, results, _ = run("lime", case, samples=30, segments=4)
    for image, result in zip(images, results, strict=True):
        arrays = {name: np.asarray(array) for name, array in result.arrays.items()}
        shown = arrays["masks"].astype(bool)[:, arrays["segments"]][..., None]
        hidden = np.zeros_like(image)
        for segment in np.unique(arrays["segments"]):
            inside = arrays["segments"] == segment
            hidden[inside] = np.floor(image[inside].mean(0))
        with torch.no_grad():
            inputs = raw(case).inputs(np.where(shown, image, hidden))
            expected = raw(case).logits(inputs).softmax(1)[:, int(result.numbers["target"] or 0)]
        near(arrays["responses"], expected)


@pytest.mark.parametrize("case", CASES)
def test_the_confusion_matrix_counts_what_the_raw_network_answers(case: Strange) -> None:
    images, analysis = case.images(24, seed=5), REGISTRY["confusion"]
    labels = np.arange(24) % case.classes
    values = classifier(case).probabilities(images)
    subjects = Subjects(case.images(0), labels, rngs(1), probabilities=values)
    options = analysis.Options.model_validate({})
    (result,) = analysis.compute(None, subjects, options)
    with torch.no_grad():
        answers = raw(case).logits(raw(case).inputs(images)).argmax(1).numpy()
    expected = confusion_matrix(labels, answers, labels=range(case.classes))
    np.testing.assert_array_equal(result.arrays["counts"], expected)
    figure = analysis.draw(result, options, context(case))
    assert len(figure.panels) == 1
    assert sum(len(table.rows) * len(table.header) for table in figure.tables) < 10_000
