"""Strange but lawful networks, for table-driven tests of everything that runs a network.

Each is small and seeded; ``case.classifier()`` wraps it. ``maps`` says whether it has spatial
maps, ``logits`` whether true logits can be had.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.model.classifier import Classifier, wrap
from fervis.model.options import ModelOptions
from fervis.model.weights import load_weights


@dataclass(frozen=True)
class Strange:
    name: str
    build: Callable[[], nn.Module]
    classes: int = 4
    size: int = 16
    channels: int = 1
    maps: bool = True
    logits: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def network(self) -> nn.Module:
        """The network with weights large enough that its answers differ between pictures."""
        torch.manual_seed(0)
        network = self.build()
        with torch.no_grad():
            for module in network.modules():
                if type(module) in (nn.Conv2d, nn.Linear, Standardised):
                    nn.init.kaiming_normal_(module.weight)
                if isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
                    module.running_mean.uniform_(-0.2, 0.2)
                    module.running_var.uniform_(0.3, 1.5)
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.uniform_(-0.3, 0.3)
        return network

    def classifier(self) -> Classifier:
        return wrap(self.network(), self.model_options(), classes=self.classes)

    def model_options(self) -> ModelOptions:
        given = {"factory": "memory:network", "size": self.size, "channels": self.channels}
        return ModelOptions.model_validate({**given, "std": 0.5, "mean": 0.5, **self.options})

    def images(self, count: int = 3, seed: int = 1) -> np.ndarray:
        rng = np.random.default_rng(seed)
        shape = (count, self.size, self.size, self.channels)
        return rng.integers(0, 256, shape, np.uint8)


STRANGE: dict[str, Strange] = {}


def strange(**settings: Any) -> Callable[[Any], Any]:
    def listed(build: Any) -> Any:
        name = build.__name__
        STRANGE[name] = Strange(name, build, **settings)
        return build

    return listed


def head(channels: int, classes: int = 4) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


@strange()
class Homework(nn.Module):
    """Like what the homework's students hand in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.fc1 = nn.Linear(8 * 4 * 4, 12)
        self.fc2 = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.pool(self.relu(self.bn2(self.conv2(x))))
        x = x.view(x.size(0), -1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


@strange()
def inplace_relu() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(6), nn.ReLU(inplace=True),
        nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), *head(6),
    )  # fmt: skip


@strange()
class InplaceStatement(nn.Module):
    """Calls its in-place ReLU without using what it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True)
        self.head = nn.Sequential(*head(6))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        self.relu(x)
        y = x * 2
        F.relu_(y)
        return self.head(y)


@strange()
class FunctionalRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.conv3 = nn.Conv2d(6, 6, 3)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = torch.relu(self.bn(self.conv2(x)))
        x = self.conv3(x).relu()
        return self.fc(x.mean((2, 3)))


@strange()
class SharedModules(nn.Module):
    """One convolution and one ReLU, used several times."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.again = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.relu = nn.BatchNorm2d(6), nn.ReLU()
        self.head = nn.Sequential(*head(6))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        for _ in range(2):
            x = self.relu(self.norm(self.again(x)))
        return self.head(x)


@strange()
def no_batchnorm() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 3), nn.ReLU(), *head(6)
    )


@strange()
def groupnorm() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.GroupNorm(2, 6), nn.SiLU(), nn.Conv2d(6, 6, 3),
        nn.InstanceNorm2d(6), nn.LeakyReLU(0.1, inplace=True), *head(6),
    )  # fmt: skip


@strange()
def depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU6(inplace=True),
        nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU6(inplace=True),
        nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), *head(8),
    )  # fmt: skip


@strange()
def dilated() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, dilation=2, padding="same"), nn.ELU(),
        nn.Conv2d(6, 6, 3, dilation=3, stride=2), nn.BatchNorm2d(6), nn.Tanh(), *head(6),
    )  # fmt: skip


@strange()
def transposed() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2), nn.ReLU(), nn.ConvTranspose2d(6, 4, 2, stride=2),
        nn.BatchNorm2d(4), nn.ReLU(), *head(4),
    )  # fmt: skip


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.relu(out)


@strange()
def residual() -> nn.Module:
    return nn.Sequential(_Residual(1, 6), nn.MaxPool2d(2), _Residual(6, 6), *head(6))


@strange()
class PreActivation(nn.Module):
    """The convolution's output is used twice: behind its BatchNorm and past it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(6), nn.BatchNorm2d(6)
        self.head = nn.Sequential(*head(6))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        y = self.conv2(F.relu(self.bn1(x), inplace=True))
        x = x + y
        return self.head(F.relu(self.bn2(x)))


@strange()
class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(1 + 3 * i, 3, 3, padding=1) for i in range(3))
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(3))
        self.head = nn.Sequential(*head(10))

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.cat([x, norm(conv(x)).clamp(min=0)], 1)
        return self.head(x)


class _Wrapped(nn.Module):
    def __init__(self, how: Callable[[Tensor, Tensor], Any], classes: int = 4) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.fc = nn.Linear(6, classes)
        self.how = how

    def forward(self, x: Tensor) -> Any:
        features = self.features(x)
        return self.how(self.fc(features.mean((2, 3))) * 3, features)


@strange()
def tuple_output() -> nn.Module:
    return _Wrapped(lambda scores, features: (features, scores, scores * 2))


@strange()
def dict_output() -> nn.Module:
    return _Wrapped(lambda scores, features: {"aux": scores * 2, "logits": scores, "f": features})


@strange()
def softmax_inside() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
        nn.Softmax(dim=1),
    )  # fmt: skip


@strange()
def log_softmax_inside() -> nn.Module:
    return nn.Sequential(*softmax_inside()[:-1], nn.LogSoftmax(dim=1))


@strange()
def functional_softmax() -> nn.Module:
    return _Wrapped(lambda scores, _: F.softmax(scores, dim=-1))


@strange()
def functional_log_softmax() -> nn.Module:
    return _Wrapped(lambda scores, _: {"output": torch.log_softmax(scores, 1)})


def _by_hand(scores: Tensor) -> Tensor:
    powers = (scores - scores.amax(1, keepdim=True)).exp()
    return powers / powers.sum(1, keepdim=True)


@strange(logits=False)
def handmade_softmax() -> nn.Module:
    return _Wrapped(lambda scores, _: _by_hand(scores))


@strange(channels=3, options={"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]})
def three_channels() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.BatchNorm2d(6), nn.ReLU(), *head(6))


@strange(size=64)
def large_input() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(4 * 15 * 15, 4),
    )  # fmt: skip


@strange(size=224, channels=3)
def full_size() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 7, stride=8), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(inplace=True), *head(6),
    )  # fmt: skip


@strange(maps=False)
class VisionTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 8) * 0.2)
        self.position = nn.Parameter(torch.randn(1, 17, 8) * 0.2)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1) + self.position
        return self.fc(self.encoder(tokens)[:, 0]) * 3


@strange(maps=False)
class HandmadeAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.qkv, self.out, self.fc = nn.Linear(8, 24), nn.Linear(8, 8), nn.Linear(8, 4)
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(self.patches(x).flatten(2).transpose(1, 2))
        q, k, v = self.qkv(tokens).view(len(x), -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) / math.sqrt(4)).softmax(-1)
        mixed = (weights @ v).transpose(1, 2).reshape(tokens.shape)
        return self.fc((tokens + self.out(mixed)).mean(1)) * 3


@strange()
class LstmHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 6, 3, stride=2), nn.BatchNorm2d(6)
        self.lstm, self.fc = nn.LSTM(6, 8, batch_first=True, dropout=0.0), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        maps = F.relu(self.bn(self.conv(x)))
        sequence, _ = self.lstm(maps.flatten(2).transpose(1, 2))
        return self.fc(sequence[:, -1]) * 3


@strange()
class DropoutInTrainMode(nn.Module):
    """F.dropout without training=self.training, and modules left in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.drop = nn.Conv2d(1, 6, 3), nn.Dropout2d(0.5)
        self.bn, self.fc = nn.BatchNorm2d(6), nn.Linear(6, 4)
        self.train()

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(self.drop(torch.relu(self.bn(self.conv(x)))), 0.5)
        return self.fc(x.mean((2, 3)))


@strange()
def float64_weights() -> nn.Module:
    return FunctionalRelu().double()


@strange()
def half_weights() -> nn.Module:
    return inplace_relu().half()


@strange()
class Compiled(nn.Module):
    """What torch.compile returns keeps the network under _orig_mod."""

    def __init__(self) -> None:
        super().__init__()
        self._orig_mod = residual()

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("the compiled function must not be called")


@strange()
def compiled() -> nn.Module:
    return torch.compile(FunctionalRelu(), backend="eager")  # "inductor" needs a C++ compiler


@strange()
def data_parallel() -> nn.Module:
    return nn.DataParallel(inplace_relu())


@strange()
def data_parallel_weights() -> nn.Module:
    """Trained in DataParallel: its file has `module.` in front of every name."""
    trained, fresh = nn.DataParallel(residual()), residual()
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"state_dict": trained.state_dict()}, Path(folder) / "best.pt")
        load_weights(fresh, Path(folder) / "best.pt")
    return fresh


@strange()
class Squeezed(nn.Module):
    """A squeeze() that also takes the batch away where it is one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool, self.fc = nn.Conv2d(1, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(F.relu(self.conv(x))).squeeze())


@strange(classes=2)
def two_classes() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), *head(6, 2))


@strange(classes=2)
def one_sigmoid() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), *head(6, 1), nn.Sigmoid())


@strange(classes=1)
def one_class() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), *head(6, 1))


@strange(classes=1000)
def thousand_classes() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), *head(6, 1000))


@strange()
class WeightNorm(nn.Module):
    """Weights that hooks and parametrisations compute anew before every call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 6, 3))
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.utils.parametrizations.spectral_norm(nn.Conv2d(6, 6, 3))
        self.bn2 = nn.BatchNorm2d(6)
        self.head = nn.Sequential(*head(6))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return self.head(F.relu(self.bn2(self.conv2(x))))


@strange()
class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyConv2d(6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Standardised(nn.Conv2d):
    """A convolution of its author's own, with standardised weights."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


@strange()
def own_layers() -> nn.Module:
    return nn.Sequential(
        Standardised(1, 6, 3), nn.BatchNorm2d(6), Swish(), Standardised(6, 6, 3), Swish(), *head(6)
    )
