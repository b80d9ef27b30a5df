"""Layer names are the ones people use, in the order of the forward pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fervis.errors import LayerError
from fervis.model.classifier import Classifier, layer_table, wrap
from fervis.model.options import ModelOptions
from tests.model.networks import STRANGE


def classifier_of(network: nn.Module, classes: int = 4, size: int = 16) -> Classifier:
    options = ModelOptions.model_validate({"factory": "m:n", "size": size})
    return wrap(network, options, classes=classes)


def rows(name: str) -> list[tuple[object, ...]]:
    classifier = STRANGE[name].classifier()
    layers = dict.fromkeys(classifier.layers.values())
    return [(x.name, x.path, x.type, x.shape, x.parameters) for x in layers]


def test_the_layers_of_a_homework_network() -> None:
    assert rows("Homework") == [
        ("conv1", "conv1", "Conv2d", (6, 16, 16), 60),
        ("bn1", "bn1", "BatchNorm2d", (6, 16, 16), 12),
        ("conv1.relu", "relu", "ReLU", (6, 16, 16), 0),
        ("pool1", "pool", "MaxPool2d", (6, 8, 8), 0),
        ("conv2", "conv2", "Conv2d", (8, 8, 8), 440),
        ("bn2", "bn2", "BatchNorm2d", (8, 8, 8), 16),
        ("conv2.relu", "relu", "ReLU", (8, 8, 8), 0),
        ("pool2", "pool", "MaxPool2d", (8, 4, 4), 0),
        ("fc1", "fc1", "Linear", (12,), 1548),
        ("fc1.relu", "relu", "ReLU", (12,), 0),
        ("drop1", "dropout", "Dropout", (12,), 0),
        ("fc2", "fc2", "Linear", (4,), 52),
        ("logits", "", "", (4,), 0),
    ]


def test_a_layer_has_other_names_that_mean_the_same() -> None:
    layers = STRANGE["Homework"].classifier().layers
    assert layers["conv2.relu"].aliases == ("bn2.relu", "relu2", "relu#2")
    assert layers["bn2.relu"] is layers["relu2"] is layers["relu#2"] is layers["conv2.relu"]
    assert layers["conv1.pool"] is layers["pool1"]
    default = STRANGE["inplace_relu"].classifier().layers
    assert default["4"] is default["conv2"]


def test_functions_are_layers_where_they_can_be_seen() -> None:
    listed = {name: kind for name, _, kind, _, _ in rows("FunctionalRelu")}
    assert listed["conv1.relu"] == "relu()"
    assert listed["conv2.relu"] == "relu()"
    assert listed["conv3.relu"] == "relu()"
    assert listed["pool1"] == "max_pool2d()"
    assert listed["gap"] == "mean()"
    assert {name for name, *_ in rows("Dense")} > {"conv1.relu", "conv2.relu", "conv3.relu"}


def test_a_relu_is_told_apart_and_so_is_an_in_place_one() -> None:
    layers = STRANGE["inplace_relu"].classifier().layers
    assert layers["conv1.relu"].after_relu
    assert layers["conv1.relu"].inplace
    assert not layers["conv1"].after_relu
    functional = STRANGE["FunctionalRelu"].classifier().layers["conv1.relu"]
    assert functional.after_relu
    assert not functional.inplace
    statement = STRANGE["InplaceStatement"].classifier().layers
    assert statement["conv1.relu"].inplace
    assert statement["conv1.relu2"].inplace


def test_a_module_called_twice_has_a_name_for_each_call() -> None:
    classifier = STRANGE["SharedModules"].classifier()
    assert classifier.layer("conv2").path == classifier.layer("conv3").path == "again"
    assert classifier.layer("again#2") is classifier.layer("conv3")
    with pytest.raises(LayerError, match=r"called 2 times.* again#1, again#2"):
        classifier.layer("again")


def test_what_goes_into_a_layer_can_be_asked_for() -> None:
    classifier = STRANGE["inplace_relu"].classifier()
    inputs = classifier.to_input(STRANGE["inplace_relu"].images())
    before = classifier.forward_to("conv2.relu:input", inputs)
    after = classifier.forward_to("conv2.relu", inputs)
    assert torch.equal(before.relu(), after)
    assert float(before.min()) < 0
    assert not classifier.layer("conv2.relu:input").after_relu
    assert classifier.layer("conv2:input").shape == (6, 14, 14)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    classifier = STRANGE["Homework"].classifier()
    with pytest.raises(LayerError) as caught:
        classifier.layer("convv2")
    assert "'convv2'" in str(caught.value)
    assert "(did you mean conv2?)" in str(caught.value)
    assert "conv1, conv2" in str(caught.value)


def test_names_count_and_a_module_of_another_number_is_a_warning() -> None:
    class Crossed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv2, self.conv1 = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 5, 3)
            self.fc = nn.Linear(5, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv1(self.conv2(x)).mean((2, 3)))

    classifier = classifier_of(Crossed())
    assert classifier.layer("conv2").path == "conv1"
    assert sum("counts layers in the order" in warning for warning in classifier.warnings) == 2


def test_a_path_of_a_block_is_its_output() -> None:
    classifier = STRANGE["residual"].classifier()
    assert classifier.layer("0") is classifier.layer("conv3.relu")  # it ends in its ReLU
    dense = STRANGE["PreActivation"].classifier()
    assert dense.layer("head").name == "fc1"
    inputs = dense.to_input(STRANGE["PreActivation"].images())
    assert torch.equal(dense.forward_to("head", inputs), dense.logits(inputs))


def test_a_block_that_ends_in_a_sum_is_the_default_layer() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            y += x
            return y

    classifier = classifier_of(
        nn.Sequential(nn.Conv2d(1, 3, 3), Sum(), nn.Flatten(), nn.LazyLinear(4))
    )
    assert classifier.last_spatial.path == "1"
    inputs = torch.randn(2, 1, 16, 16)
    values, _ = classifier.activations(inputs, ["1", "conv1", "conv2"])
    assert torch.allclose(values["1"], values["conv1"] + values["conv2"], atol=1e-6)


def test_pooling_to_one_number_is_gap_and_halving_is_not() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4)
    )
    layers = classifier_of(network).layers
    assert layers["pool1"].type == "AvgPool2d"
    assert layers["gap"].type == "AdaptiveAvgPool2d"
    tiny = classifier_of(
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3, 4)), size=4
    )
    assert tiny.layer("pool1").shape == (3, 1, 1)


def test_maps_with_channels_last_are_not_taken_for_maps() -> None:
    class Permuted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 6, 3), nn.LayerNorm(6)
            self.fc1, self.fc2 = nn.Linear(6, 6), nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(self.conv(x).permute(0, 2, 3, 1))
            return self.fc2(torch.relu(self.fc1(x)).mean((1, 2)))

    classifier = classifier_of(Permuted())
    assert classifier.last_spatial.name == "conv1"
    assert not classifier.layer("fc1.relu").spatial


def test_the_table_has_one_row_per_layer() -> None:
    classifier = STRANGE["SharedModules"].classifier()
    table = layer_table(classifier)
    assert [row[0] for row in table][:3] == ["conv1", "conv1.relu", "conv2"]
    assert table[0][1:] == ("first", "Conv2d", (6, 14, 14), 60)
