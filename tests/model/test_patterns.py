"""Mosaics by local patterns: the numbers of the network itself, with fewer operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.model import fast, stem
from fervis.model.classifier import Classifier, wrap
from fervis.model.mosaics import Mosaics
from fervis.model.options import ModelOptions
from tests.model.networks import STRANGE, Strange

COUNT, PARTS = 200, 9
CASES = [pytest.param(case, id=name) for name, case in STRANGE.items()]


def mosaics_of(shape: tuple[int, int, int], count: int = COUNT) -> Mosaics:
    """``count`` mosaics of (H, W, C) pictures of noise, of nine upright and level stripes."""
    rng = np.random.default_rng(0)
    height, width, _ = shape
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    masks = rng.integers(0, 2, (count, PARTS), np.uint8)
    shown, hidden = rng.integers(0, 256, (2, *shape), np.uint8)
    return Mosaics(shown, hidden, rows[:, None] * 3 + columns, masks)


def wrapped(network: nn.Module, shape: tuple[int, int, int] = (1, 24, 24)) -> Classifier:
    options = ModelOptions(factory="tests:network", channels=shape[0], size=shape[1:])
    return wrap(network, options, classes=3, precision="float32")


def tail(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 3)]


def plain() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), *tail(16),
    )  # fmt: skip


def odd_windows() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, (5, 3), stride=(2, 1), padding=(1, 2)), nn.GELU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Conv2d(8, 16, 3, padding=2, dilation=2, bias=False), nn.BatchNorm2d(16), nn.ELU(),
        nn.AvgPool2d(2, padding=1), *tail(16),
    )  # fmt: skip


def norm_first() -> nn.Module:
    norm = nn.BatchNorm2d(1)
    norm.running_mean.fill_(0.3)
    norm.running_var.fill_(0.1)
    return nn.Sequential(norm, nn.Conv2d(1, 8, 3), nn.Conv2d(8, 16, 3), nn.ReLU(), *tail(16))


class Functional(nn.Module):
    """As students write it: F.relu, F.max_pool2d, and one module used twice."""

    def __init__(self, size: int = 2, **pooling: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(16, 16, 3, padding=1)
        self.act, self.head = nn.ReLU(), nn.Sequential(*tail(16))
        self.pool: Callable[[Tensor], Tensor] = lambda x: F.max_pool2d(x, size, **pooling)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv2(F.relu(self.conv1(x))))
        return self.head(self.act(self.conv3(self.pool(x))))


class Skipping(nn.Module):
    """What comes out of the second convolution is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3))
        self.second, self.head = nn.Conv2d(8, 8, 3, padding=1), nn.Sequential(*tail(8))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.head(x + self.second(x))


class Doubling(nn.Module):
    """Something that is no layer happens to the picture before the first one."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = plain()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x * 2 - 1)


class Comparing(nn.Module):
    """An early value goes into the end as well, by no layer's way."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.rest = nn.Conv2d(1, 16, 5, padding=2), plain()[3:]
        self.rest[0] = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        early = self.conv(x)
        return self.rest(early) + early.flatten(1)[:, :3]


PAYS = {"plain": plain, "odd windows": odd_windows, "norm first": norm_first,
        "functional": Functional, "skipping": Skipping}  # fmt: skip
SHORTER = {
    "overlapping functional pooling": lambda: Functional(3, stride=2, padding=1),
    "an early value used at the end": Comparing,
}
"""The whole stem would give other numbers, and its beginning the same."""


@pytest.fixture(autouse=True)
def packed_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "SMALL_JOB", 40)


def check(net: Classifier, mosaics: Mosaics) -> None:
    found = net.mosaic_probabilities(mosaics)
    np.testing.assert_allclose(found, net.probabilities(mosaics.pictures()), atol=2e-6)


def takes_the_short_way(net: Classifier) -> bool:
    return any(net._paths._after_stem.values())


@pytest.mark.parametrize("build", PAYS.values(), ids=PAYS)
def test_patterns_give_the_numbers_of_the_pictures(build):
    torch.manual_seed(0)
    net = wrapped(build())
    check(net, mosaics_of((24, 24, 1)))
    assert takes_the_short_way(net)


@pytest.mark.parametrize("build", SHORTER.values(), ids=SHORTER)
def test_a_stem_ends_before_it_would_give_other_numbers(build):
    torch.manual_seed(0)
    net = wrapped(build())
    check(net, mosaics_of((24, 24, 1)))
    assert takes_the_short_way(net)
    assert not all(net._paths._after_stem.values())


def test_arithmetic_before_the_first_layer_is_noticed():
    torch.manual_seed(0)
    net = wrapped(Doubling())
    check(net, mosaics_of((24, 24, 1)))
    assert not takes_the_short_way(net)


@pytest.mark.parametrize("case", CASES)
def test_strange_networks_give_the_same_either_way(case: Strange):
    net = case.classifier()
    mosaics = mosaics_of(case.images(1).shape[1:], 80)
    expected = net.probabilities(mosaics.pictures())
    np.testing.assert_allclose(net.mosaic_probabilities(mosaics), expected, atol=2e-5)


def test_three_channels_and_portions_change_nothing(monkeypatch):
    torch.manual_seed(0)
    network = plain()
    network[0] = nn.Conv2d(3, 8, 3, padding=1)
    net, mosaics = wrapped(network, (3, 24, 24)), mosaics_of((24, 24, 3))
    whole = net.mosaic_probabilities(mosaics)
    check(net, mosaics)
    monkeypatch.setattr(stem, "_AT_ONCE", 70 * 24 * 24)
    np.testing.assert_allclose(net.mosaic_probabilities(mosaics), whole, atol=2e-6)
    assert takes_the_short_way(net)


def test_a_layer_is_not_computed_once_a_mosaic(monkeypatch):
    net, seen = wrapped(plain()), []
    product = F.conv2d
    monkeypatch.setattr(
        F, "conv2d", lambda x, *rest: (seen.append(x.shape[2] * x.shape[3]), product(x, *rest))[1]
    )
    net.mosaic_probabilities(mosaics_of((24, 24, 1)))
    assert takes_the_short_way(net)
    assert max(seen) < 0.2 * COUNT * 24 * 24


def test_the_network_is_left_as_it_was():
    torch.manual_seed(0)
    network = plain()
    net = wrapped(network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    net.mosaic_probabilities(mosaics_of((24, 24, 1)))
    assert takes_the_short_way(net)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any("forward" in vars(module) for module in network.modules())
