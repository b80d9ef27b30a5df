"""The few things an analysis asks of a classifier, on a plain torch module."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class StandIn:
    """Layers are named by their module path; pixels are divided by 255."""

    def __init__(self, module: nn.Module, shape: tuple[int, int, int], last_spatial: str) -> None:
        self.module, self.input_shape, self.last_spatial = module.eval(), shape, last_spatial

    def to_input(self, images: np.ndarray) -> Tensor:
        return torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.module(inputs)

    def probabilities(self, images: np.ndarray, batch: int | None = None) -> np.ndarray:
        with torch.no_grad():
            return self.logits(self.to_input(images)).softmax(1).numpy()

    def activations(
        self, inputs: Tensor, layers: Sequence[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        captured: dict[str, Tensor] = {}

        def keep(name: str):
            def hook(_: nn.Module, __: object, output: Tensor) -> Tensor:
                captured[name] = output
                return output.clone()

            return hook

        handles = [
            self.module.get_submodule(name).register_forward_hook(keep(name)) for name in layers
        ]
        try:
            return captured, self.logits(inputs)
        finally:
            for handle in handles:
                handle.remove()


def gap_network(classes: int = 3, channels: int = 4, seed: int = 0) -> StandIn:
    """conv → ReLU → average over space → linear: Grad-CAM is known in closed form."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, classes),
    )
    return StandIn(module, (1, 12, 10), "1")


def linear_network(shape: tuple[int, int, int] = (1, 12, 10), classes: int = 3) -> StandIn:
    """logits = W x + b."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes))
    return StandIn(module, shape, "0")
