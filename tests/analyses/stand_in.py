"""Networks so small that what an analysis must say of them is known by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from fervis.model.classifier import Classifier, wrap
from fervis.model.options import ModelOptions


def classifier(
    network: nn.Module, shape: tuple[int, int, int] = (1, 12, 10), classes: int = 3
) -> Classifier:
    """``network`` for pictures of ``shape`` (C, H, W), whose pixels are divided by 255."""
    options = ModelOptions(factory="tests:network", channels=shape[0], size=shape[1:])
    return wrap(network, options, classes=classes, precision="float32")


def gap_network(
    classes: int = 3,
    channels: int = 4,
    seed: int = 0,
    change: Callable[[nn.Sequential], None] = lambda _: None,
) -> Classifier:
    """conv → ReLU → average over space → linear: Grad-CAM is known in closed form."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, classes),
    )
    with torch.no_grad():
        change(network)
    return classifier(network, classes=classes)


def linear_network(shape: tuple[int, int, int] = (1, 12, 10), classes: int = 3) -> Classifier:
    """logits = W x + b."""
    torch.manual_seed(0)
    return classifier(
        nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes)), shape, classes
    )


def deep_network(
    seed: int = 0, change: Callable[[nn.Sequential], None] = lambda _: None
) -> Classifier:
    """Two blocks of conv, batch norm and in-place ReLU with pooling, dropout and a linear layer."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(8, 3),
    )
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    with torch.no_grad():
        change(network)
    return classifier(network)
