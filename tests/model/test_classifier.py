"""Claims about every network, however strange: equal numbers by every way, nothing left behind."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fervis.data.faces import shipped
from fervis.errors import AnalysisError, FervisError, LayerError
from fervis.model import fast
from fervis.model.classifier import Classifier, load, wrap
from fervis.model.options import ModelOptions
from tests.model.networks import STRANGE, Strange

CASES = [pytest.param(case, id=name) for name, case in STRANGE.items()]


@pytest.fixture(scope="module")
def classifiers() -> Callable[[Strange], Classifier]:
    known: dict[str, Classifier] = {}

    def get(case: Strange) -> Classifier:
        if case.name not in known:
            known[case.name] = case.classifier()
        return known[case.name]

    return get


@pytest.fixture(autouse=True)
def small_jobs_count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread, and the prepared paths from 41 pictures."""
    monkeypatch.setattr(fast, "SMALL_JOB", 40)
    monkeypatch.setattr(fast, "SMALL_SAMPLE", 40)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def by_hand(case: Strange, classifier: Classifier) -> Tensor:
    """Logits of the author's own module in eval mode, up to the constant that softmax forgets."""
    network = classifier.network.eval()
    with torch.no_grad():
        output = network(classifier.to_input(case.images()))
    if isinstance(output, tuple):
        output = next(item for item in output if item.shape[1:] == (case.classes,))
    if isinstance(output, dict):
        output = output.get("logits", output.get("output"))
    if case.name in ("softmax_inside", "functional_softmax", "handmade_softmax"):
        output = output.log()
    if case.name == "one_sigmoid":
        output = torch.logit(output) * torch.tensor([-0.5, 0.5])
    return output.float()


def normalised(logits: Tensor) -> Tensor:
    return logits - logits.mean(1, keepdim=True)


@pytest.mark.parametrize(
    "case",
    # By hand that one drops at random.
    [case for case in CASES if case.id != "DropoutInTrainMode"],
)
def test_logits_are_the_networks_own(case: Strange, classifiers: Any) -> None:
    classifier = classifiers(case)
    logits = classifier.logits(classifier.to_input(case.images())).detach()
    expected = by_hand(case, classifier)
    assert torch.allclose(normalised(logits), normalised(expected), atol=1e-4)
    if case.logits and not case.name.endswith(("softmax", "softmax_inside", "one_sigmoid")):
        assert torch.allclose(logits, expected, atol=1e-4)
    assert str(classifier.explains).startswith("logits" if case.logits else "log-probabilities")


@pytest.mark.parametrize("case", CASES)
def test_probabilities_are_the_softmax_of_logits_for_any_batch(
    case: Strange, classifiers: Any
) -> None:
    classifier, images = classifiers(case), case.images(7)
    logits = classifier.logits(classifier.to_input(images)).detach()
    whole = classifier.probabilities(images)
    assert whole.dtype == np.float32
    assert whole.shape == (7, case.classes)
    np.testing.assert_allclose(whole, logits.softmax(1).numpy(), atol=1e-5)
    np.testing.assert_allclose(classifier.probabilities(images, batch=2), whole, atol=1e-5)
    backwards = classifier.probabilities(images[::-1], batch=3)[::-1]
    np.testing.assert_allclose(backwards, whole, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_prepared_path_gives_the_same_probabilities(case: Strange, classifiers: Any) -> None:
    classifier, images = classifiers(case), case.images(52)  # more than a small job
    expected = np.concatenate(
        [classifier.probabilities(images[i : i + 13]) for i in range(0, 52, 13)]
    )
    np.testing.assert_allclose(classifier.probabilities(images), expected, atol=1e-5)
    sampled = classifier.probabilities(images, sampling=True)
    np.testing.assert_allclose(sampled, expected, atol=2e-2)


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_at_every_layer_are_the_networks_own(
    case: Strange, classifiers: Any
) -> None:
    """Against a second classifier that runs the author's network alone, no faster copy."""
    classifier = classifiers(case)
    slow = case.classifier()
    slow._paths._prepared = slow._paths.own  # which rules out every copy
    names = [name for name, layer in classifier.layers.items() if layer.per_image]
    inputs = classifier.to_input(case.images()).requires_grad_()
    _, expected = slow.activations(inputs, names)
    for name in names:
        (value,), logits = _values(classifier, inputs, [name])
        (plain,), _ = _values(slow, inputs, [name])
        assert tuple(value.shape[1:]) == classifier.layer(name).shape
        assert torch.allclose(value, plain, atol=1e-4), name
        assert torch.allclose(logits, expected, atol=1e-4), name
        cut = classifier.forward_to(name, inputs)
        assert torch.allclose(cut, plain, atol=1e-4), name
        towards = torch.randn(plain.shape, generator=torch.Generator().manual_seed(0))
        one, two = (
            torch.autograd.grad(each, inputs, towards, retain_graph=True)[0]
            for each in (cut, plain)
        )
        assert torch.allclose(one, two, atol=1e-3 * float(two.abs().max()) + 1e-6), name


def _values(
    classifier: Classifier, inputs: Tensor, names: list[str]
) -> tuple[list[Tensor], Tensor]:
    values, logits = classifier.activations(inputs, names)
    return [values[name] for name in names], logits


CHAINS = (
    "Homework", "inplace_relu", "InplaceStatement", "FunctionalRelu", "SharedModules",
    "no_batchnorm", "groupnorm", "depthwise", "dilated", "transposed", "LstmHead", "large_input",
    "DropoutInTrainMode", "half_weights", "WeightNorm", "Lazy",
)  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_in_a_chain_all_of_the_gradient_passes_through_every_layer(
    name: str, classifiers: Any
) -> None:
    classifier = classifiers(STRANGE[name])
    inputs = classifier.to_input(STRANGE[name].images(2)).requires_grad_()
    straight = torch.autograd.grad(classifier.logits(inputs)[:, 0].sum(), inputs)[0]
    for layer in classifier.layers:
        for at in (layer, f"{layer}:input") if layer != "logits" else ():
            values, logits = classifier.activations(inputs, [at])
            (towards,) = torch.autograd.grad(logits[:, 0].sum(), values[at], retain_graph=True)
            through = torch.autograd.grad(values[at], inputs, towards)[0]
            scale = float(straight.abs().max())
            assert torch.allclose(through, straight, atol=1e-3 * scale), at


@pytest.mark.parametrize("case", CASES)
def test_a_result_does_not_depend_on_the_other_pictures(case: Strange, classifiers: Any) -> None:
    classifier, inputs = classifiers(case), classifiers(case).to_input(case.images(3))
    together = classifier.logits(inputs)
    alone = torch.cat([classifier.logits(one[None]) for one in inputs.flip(0)]).flip(0)
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_default_layer_has_maps_or_there_is_none(case: Strange, classifiers: Any) -> None:
    classifier = classifiers(case)
    if case.maps:
        assert classifier.last_spatial.spatial
        assert min(classifier.last_spatial.shape[1:]) > 1
    else:
        with pytest.raises(LayerError, match="spatial maps"):
            _ = classifier.last_spatial


# Nothing mutated


def _state(network: nn.Module) -> dict[str, Any]:
    return {
        "modes": [module.training for module in network.modules()],
        "tensors": {name: value.clone() for name, value in network.state_dict().items()},
        "requires": [parameter.requires_grad for parameter in network.parameters()],
        "grads": [parameter.grad for parameter in network.parameters()],
        "hooks": [
            len(getattr(module, kind))
            for module in network.modules()
            for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        ],
        "random": (torch.get_rng_state(), random.getstate(), numpy_state()),
    }


def numpy_state() -> Any:
    return np.random.get_state()[1].tolist()  # noqa: NPY002


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


CALLS: dict[str, Callable[[Classifier, np.ndarray], Any]] = {
    "logits": lambda c, images: c.logits(c.to_input(images).requires_grad_()),
    "activations": lambda c, images: c.activations(c.to_input(images), list(c.layers)[:3]),
    "inputs of layers": lambda c, images: c.activations(
        c.to_input(images), [f"{name}:input" for name in list(c.layers)[:3]]
    ),
    "forward_to": lambda c, images: c.forward_to(next(iter(c.layers)), c.to_input(images)),
    "probabilities": lambda c, images: c.probabilities(images),
    "prepared": lambda c, images: c.probabilities(np.concatenate([images] * 20)),
    "sampling": lambda c, images: c.probabilities(np.concatenate([images] * 20), sampling=True),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "name", ["Homework", "SharedModules", "DropoutInTrainMode", "WeightNorm", "LstmHead"]
)
def test_a_run_leaves_the_network_as_it_found_it(name: str, call: str) -> None:
    case = STRANGE[name]
    classifier = case.classifier()
    network = classifier.network
    for number, module in enumerate(network.modules()):
        module.training = number % 2 == 0
    for number, parameter in enumerate(network.parameters()):
        parameter.requires_grad_(number % 3 > 0)
        parameter.grad = torch.ones_like(parameter) if number % 2 else None
    network.register_forward_hook(lambda *_: None)
    before, images = _state(network), case.images()
    kept = images.copy()
    CALLS[call](classifier, images)
    assert _same(before, _state(network))
    assert np.array_equal(images, kept)


class Faulty(nn.Module):
    """Raises for pictures that are white, after it has spoiled what can be spoiled."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.drop, self.fc = nn.Dropout(0.5), nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        self.drop.train()
        torch.rand(3)
        x = self.bn(self.conv(x))
        if float(x.detach().abs().max()) > 1e4:
            raise ValueError("too bright")
        return self.fc(self.drop(x).mean((2, 3)))


@pytest.mark.parametrize("call", ["logits", "activations", "forward_to", "probabilities"])
def test_a_run_that_raises_leaves_the_network_as_it_found_it(call: str) -> None:
    torch.manual_seed(3)
    case = Strange("faulty", Faulty, options={"std": 1e-7})
    classifier = wrap(
        Faulty(), ModelOptions.model_validate({"factory": "m:n", "size": 16}), classes=4
    )
    network = classifier.network
    network.train()
    before = _state(network)
    bright = classifier.to_input(case.images()) * 1e6
    calls: dict[str, Callable[[], Any]] = {
        "logits": lambda: classifier.logits(bright),
        "activations": lambda: classifier.activations(bright, ["conv1", "bn1"]),
        "forward_to": lambda: classifier.forward_to("fc1", bright),
        "probabilities": lambda: classifier.probabilities(case.images().astype(np.float32)),
    }
    with pytest.raises(FervisError, match="too bright" if call != "probabilities" else "uint8"):
        calls[call]()
    assert _same(before, _state(network))


def test_untouched_puts_back_what_happens_inside_it_also_on_errors() -> None:
    classifier = STRANGE["Homework"].classifier()
    network = classifier.network.train()
    before = _state(network)
    with pytest.raises(KeyError), classifier.untouched():  # noqa: PT012
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())
        network.train()
        network(torch.randn(4, 1, 16, 16))
        network.conv1.register_forward_hook(lambda *_: None)
        network.conv1.weight.grad = torch.ones_like(network.conv1.weight)
        raise KeyError
    assert _same(before, _state(network))


# What goes wrong while running


class Nan(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.conv(x).mean((2, 3))
        black = x.amin((1, 2, 3)) == x.amax((1, 2, 3))
        return torch.where(black[:, None], torch.nan, scores)


def test_nan_for_a_picture_is_an_error_that_counts_it() -> None:
    options = ModelOptions.model_validate({"factory": "m:n", "size": 16})
    classifier = wrap(Nan(), options, classes=4)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), np.uint8)
    images[3] = 0
    with pytest.raises(
        AnalysisError, match=r"NaN or infinite values for 1 of 5 pictures \(number 3"
    ):
        classifier.probabilities(images)
    with pytest.raises(AnalysisError, match="NaN"):
        classifier.logits(classifier.to_input(images))
    assert np.isfinite(classifier.probabilities(images[:3])).all()


def test_an_output_without_gradients_says_why() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.detach()).mean((2, 3))

    options = ModelOptions.model_validate({"factory": "m:n", "size": 16})
    classifier = wrap(Detached(), options, classes=4)
    inputs = torch.randn(2, 1, 16, 16)
    classifier.logits(inputs)
    with pytest.raises(AnalysisError, match="detach"):
        classifier.logits(inputs.requires_grad_())


def test_batch_statistics_are_a_warning() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(16, 4),
    )  # fmt: skip
    options = ModelOptions.model_validate({"factory": "m:n", "size": 16})
    assert any(
        "other pictures in the batch" in w for w in wrap(network, options, classes=4).warnings
    )


def test_dropout_that_never_stops_is_switched_off_and_told() -> None:
    classifier = STRANGE["DropoutInTrainMode"].classifier()
    assert any("dropout" in warning for warning in classifier.warnings)
    inputs = classifier.to_input(STRANGE["DropoutInTrainMode"].images())
    assert torch.equal(classifier.logits(inputs), classifier.logits(inputs))


# The faster copies


def test_batchnorm_is_folded_and_values_it_changes_come_from_the_network_itself() -> None:
    case = STRANGE["Homework"]
    classifier = case.classifier()
    paths = classifier._paths
    assert paths.gradients is not paths.own
    fused = paths.with_values([])
    assert fused not in (paths.own, paths.gradients)
    for name, expected in (
        ("conv1", paths.own),
        ("bn1", paths.gradients),
        ("bn1:input", paths.own),
        ("relu1", fused),
        ("fc1", fused),
    ):
        tap = classifier.layer(name).tap
        assert paths.with_values([tap]) is expected, name


@pytest.mark.parametrize("name", ["Homework", "functional_softmax"])
def test_a_network_that_is_changed_afterwards_is_believed_and_not_its_copies(name: str) -> None:
    case = STRANGE[name]
    classifier, images = case.classifier(), case.images(60)
    classifier.probabilities(images, sampling=True)
    classifier.probabilities(images)
    with torch.no_grad():
        for parameter in classifier.network.parameters():
            parameter.mul_(0)
    np.testing.assert_allclose(classifier.probabilities(images), 0.25, atol=1e-6)
    np.testing.assert_allclose(classifier.probabilities(images, sampling=True), 0.25, atol=1e-6)
    assert torch.allclose(classifier.logits(classifier.to_input(images)), torch.zeros(()))


def test_a_convolution_that_is_used_past_its_batchnorm_is_not_folded() -> None:
    classifier = STRANGE["PreActivation"].classifier()
    changed = {address.path for address, _ in classifier._paths.gradients.changed}
    assert changed == set()
    assert not any("prepared for speed" in warning for warning in classifier.warnings)


def test_a_network_that_cannot_be_copied_runs_as_it_is_and_says_so() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = STRANGE["Homework"].network()

        def __deepcopy__(self, memo: Any) -> Any:
            raise RuntimeError("there can be only one")

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)

    case = STRANGE["Homework"]
    classifier = wrap(Alone(), case.model_options(), classes=4)
    assert any("prepared for speed" in warning for warning in classifier.warnings)
    np.testing.assert_allclose(
        classifier.probabilities(case.images(60)),
        case.classifier().probabilities(case.images(60)),
        atol=1e-5,
    )


def test_bfloat16_that_is_too_far_off_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "SAMPLING_TOLERANCE", -1.0)
    case = STRANGE["Homework"]
    classifier, images = case.classifier(), case.images(60)
    sampled = classifier.probabilities(images, sampling=True)
    assert not classifier.samples_in_bfloat16
    np.testing.assert_array_equal(sampled, classifier.probabilities(images))


def test_the_default_network_samples_in_bfloat16_where_the_processor_has_it() -> None:
    classifier = load(ModelOptions(kind="default"), folder=Path(), classes=7)
    images = shipped.load("test").images[:96, ..., None]
    exact, sampled = (classifier.probabilities(images, sampling=each) for each in (False, True))
    np.testing.assert_allclose(sampled, exact, atol=fast.SAMPLING_TOLERANCE)
    native = fast.has_bfloat16(torch.device("cpu"))
    assert classifier.samples_in_bfloat16 is native
    assert (sampled != exact).any() == native


def test_a_batch_fits_the_largest_layer_and_is_the_same_each_time() -> None:
    batches = [STRANGE[name].classifier()._paths.batch for name in ("Homework", "three_channels")]
    assert all(8 <= batch <= 128 and batch & (batch - 1) == 0 for batch in batches)


def test_float32_precision_never_samples_in_bfloat16() -> None:
    case = STRANGE["residual"]
    classifier = wrap(case.network(), case.model_options(), classes=4, precision="float32")
    assert not classifier.samples_in_bfloat16
    images = case.images(60)
    sampled = classifier.probabilities(images, sampling=True)
    np.testing.assert_array_equal(sampled, classifier.probabilities(images))


def test_memory_mapped_pictures_are_read_in_batches(tmp_path: Any) -> None:
    case = STRANGE["Homework"]
    np.save(tmp_path / "images.npy", case.images(70))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    classifier = case.classifier()
    np.testing.assert_allclose(
        classifier.probabilities(mapped), classifier.probabilities(case.images(70)), atol=1e-6
    )
    assert classifier.probabilities(mapped[:0]).shape == (0, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what it holds in memory")
def test_predicting_a_memory_map_does_not_keep_it_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "images.npy"
    rng = np.random.default_rng(0)
    np.save(file, rng.integers(0, 256, (10_000, 16, 16, 1), np.uint8))
    images = np.load(file, mmap_mode="r")
    net = wrap(
        nn.Sequential(nn.Flatten(), nn.Linear(256, 3)),
        ModelOptions(factory="tests:network", channels=1, size=(16, 16)),
        classes=3,
    )
    found = net.probabilities(images)
    held = _kilobytes_held(file)
    assert held < 700
    assert images.max() == 255  # the map still serves, and reading it all fills memory again
    assert _kilobytes_held(file) >= 2500
    np.testing.assert_array_equal(found, net.probabilities(np.array(images)))


def _kilobytes_held(file: Path) -> int:
    """What of a mapped file this process has in memory, as Linux tells."""
    regions = Path("/proc/self/smaps").read_text("utf-8").split(str(file))[1:]
    assert regions
    return sum(int(region.split("Rss:")[1].split()[0]) for region in regions)
