import pytest
import torch
from torch import nn

from fervis.analyses import _ascent, _tail
from tests.analyses.stand_in import classifier, deep_network


def start(net, count):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, *net.input_shape, generator=generator)


def slopes(net, layer, channels):
    wanted, first = torch.tensor(channels), start(net, len(channels))
    quick = _tail.quick_slope(net, layer, wanted, first)
    return quick, _ascent.slope_of(net, layer, wanted), first


def normed(module: nn.BatchNorm2d) -> nn.BatchNorm2d:
    nn.init.uniform_(module.running_mean, -0.2, 0.2)
    nn.init.uniform_(module.running_var, 0.5, 1.5)
    return module


def network(*tail: nn.Module) -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        *tail,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LazyLinear(3),
    )


TAILS = {
    "plain": (nn.Conv2d(4, 6, 3, padding=1),),
    "strided": (nn.Conv2d(4, 6, 3, stride=2, padding=(2, 0)), nn.ReLU()),
    "dilated": (nn.Conv2d(4, 6, (3, 2), dilation=2, bias=False), normed(nn.BatchNorm2d(6))),
    "whole": (nn.Conv2d(4, 6, 5), normed(nn.BatchNorm2d(6)), nn.ReLU(inplace=True)),
    "unscaled": (nn.Conv2d(4, 6, 1), normed(nn.BatchNorm2d(6, affine=False)), nn.ReLU()),
}


@pytest.mark.parametrize("name", TAILS)
def test_the_short_way_gives_the_plain_gradients(name):
    net = classifier(network(*TAILS[name]))
    layer = {1: "conv2", 2: "conv2.relu", 3: "conv2.relu"}[len(TAILS[name])]
    layer = "bn1" if name == "dilated" else layer
    quick, plain, pictures = slopes(net, layer, [0, 5, 3, 3])
    assert quick is not None
    for _ in range(3):
        torch.testing.assert_close(quick(pictures), plain(pictures), atol=1e-7, rtol=1e-4)
        pictures = pictures + quick(pictures)


def test_the_short_way_wakes_sleepers_as_the_plain_one_does():
    def silence(network):
        network[4].bias.copy_(torch.tensor([-9.0, 0, -9, 0, 0, 0, 0, 0]))

    net = deep_network(change=silence)
    quick, plain, pictures = slopes(net, "conv2.relu", [0, 1, 2])
    assert quick(pictures).abs().amax(dim=(1, 2, 3)).min() > 0
    torch.testing.assert_close(quick(pictures), plain(pictures), atol=1e-7, rtol=1e-4)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.head = nn.ReLU(), nn.Linear(4, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        first = self.conv1(inputs)
        return self.head(self.relu(self.conv2(first) + first).mean((2, 3)))


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        (Residual(), "conv2.relu"),
        (network(nn.Conv2d(4, 6, 3, groups=2)), "conv2"),
        (network(nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect")), "conv2"),
        (network(nn.Conv2d(4, 6, 3, padding="same")), "conv2"),
        (network(nn.Conv2d(4, 6, 3), nn.Tanh()), "conv2.tanh"),
        (network(nn.Conv2d(4, 6, 3), nn.ReLU()), "conv2.relu:input"),
        (network(nn.Conv2d(4, 6, 3), nn.MaxPool2d(2), nn.ReLU()), "relu2"),
    ],
)
def test_what_has_no_short_way_takes_the_plain_one(module, layer):
    net = classifier(module)
    quick, plain, pictures = slopes(net, layer, [0, 1])
    assert quick is None
    chosen = _ascent.best_slope(net, layer, torch.tensor([0, 1]), pictures)
    torch.testing.assert_close(chosen(pictures), plain(pictures))


def test_a_short_way_that_lies_is_not_taken():
    net = deep_network()
    net.network[3].register_forward_hook(lambda *call: call[-1] * 2)
    quick, plain, pictures = slopes(net, "conv2", [0, 1])
    assert quick is not None
    chosen = _ascent.best_slope(net, "conv2", torch.tensor([0, 1]), pictures)
    torch.testing.assert_close(chosen(pictures), plain(pictures))
