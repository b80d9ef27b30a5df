"""Train a classifier: one cycle, label smoothing, averaged weights, resumable after every epoch."""

from __future__ import annotations

import copy
import csv
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.errors import ModelError
from fervis.model.augment import augment
from fervis.model.recipe import Recipe


@dataclass(frozen=True)
class LabelledImages:
    """images (N, H, W, C) uint8 and labels (N,) integers."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def joined(self, other: LabelledImages) -> LabelledImages:
        """Both sets, this one first."""
        return LabelledImages(
            np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels])
        )


@dataclass(frozen=True)
class EpochResult:
    """One line of the CSV log. Losses in nats, accuracies in 0…1.

    The training figures are of the weights as they move, on augmented pictures and with label
    smoothing; the validation figures are of the averaged weights on plain pictures.
    """

    epoch: int
    size: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Sets:
    """What a run learns from: ``extra`` is called when the first stage that wants it begins."""

    main: LabelledImages
    valid: LabelledImages
    extra: Callable[[], LabelledImages] | None
    mean: float
    std: float

    def normalised(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in 0…1 → zero mean, unit variance, channels last in memory."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)


def has_native_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 without going through float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def train(
    network: nn.Module,
    sets: Sets,
    recipe: Recipe,
    folder: Path,
    *,
    device: torch.device | None = None,
    on_batch: Callable[[int, int, int, float], None] = lambda *_: None,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
) -> nn.Module:
    """Trains ``network`` in place and returns the one with averaged weights, in eval mode.

    After every epoch ``folder/checkpoint.pt`` and ``folder/log.csv`` are written; a run that was
    stopped continues from there and ends with the same numbers, because every epoch draws from
    its own generator. Raises ModelError if the folder holds a run of another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    device = device or torch.device("cpu")
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.SGD(
        network.parameters(),
        recipe.learning_rate,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )
    log = _resume(folder / "checkpoint.pt", recipe, network, averaged, optimiser)
    main, mixed = sets.main, None
    for epoch in range(len(log), recipe.epochs):
        stage, started = recipe.stage_of(epoch), time.perf_counter()
        if stage.extra and sets.extra is not None and mixed is None:
            mixed = main.joined(sets.extra())
        data = mixed if stage.extra and mixed is not None else main
        rng = np.random.default_rng([recipe.seed, epoch])
        torch.manual_seed(int(rng.integers(1 << 31)))  # dropout
        network.train()
        loss = correct = seen = 0.0
        batches = list(_batches(len(data.labels), recipe.batch, rng))
        for number, chosen in enumerate(batches):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate_at(
                    (epoch + number / len(batches)) / recipe.epochs
                )
            labels = torch.from_numpy(data.labels[chosen].astype(np.int64)).to(device)
            images = augment(_to_tensor(data.images[chosen]), stage.size, recipe.augmentation, rng)
            logits = _forward(network, sets.normalised(images).to(device), recipe)
            step_loss = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
            optimiser.zero_grad()
            step_loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            # Early weights are far off; a short memory at first lets the average follow.
            _average(averaged, network, min(recipe.averaging, 1 - 1 / (1 + number + 200 * epoch)))
            loss += float(step_loss.detach()) * len(labels)
            correct += float((logits.argmax(1) == labels).sum())
            seen += len(labels)
            on_batch(epoch, number + 1, len(batches), loss / seen)
        valid_loss, valid_accuracy = evaluate(averaged, sets, recipe, device)
        log.append(
            EpochResult(
                epoch,
                stage.size,
                float(optimiser.param_groups[0]["lr"]),
                loss / seen,
                correct / seen,
                valid_loss,
                valid_accuracy,
                time.perf_counter() - started,
            )
        )
        _save(folder / "checkpoint.pt", recipe, network, averaged, optimiser, log)
        _write_log(folder / "log.csv", log)
        on_epoch(log[-1])
    return averaged.eval()


@torch.no_grad()
def evaluate(
    network: nn.Module, sets: Sets, recipe: Recipe, device: torch.device
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy on the validation pictures; modes are put back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    loss = correct = 0.0
    data = sets.valid
    for start in range(0, len(data.labels), 256):
        labels = torch.from_numpy(data.labels[start : start + 256].astype(np.int64)).to(device)
        images = sets.normalised(_to_tensor(data.images[start : start + 256])).to(device)
        logits = _forward(network, images, recipe)
        loss += float(F.cross_entropy(logits, labels, reduction="sum"))
        correct += float((logits.argmax(1) == labels).sum())
    for module, mode in modes:
        module.training = mode
    return loss / len(data.labels), correct / len(data.labels)


def _forward(network: nn.Module, images: Tensor, recipe: Recipe) -> Tensor:
    low = recipe.precision == "bfloat16" or (
        recipe.precision == "auto" and (images.device.type == "cuda" or has_native_bfloat16())
    )
    with torch.autocast(images.device.type, torch.bfloat16, enabled=low):
        logits: Tensor = network(images)
    return logits.float()


def _to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, C) uint8 → (N, C, H, W) float32 in 0…1."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255)


def _batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(count)
    # A last batch of one picture would break BatchNorm; leftovers come back in another epoch.
    for start in range(0, count - min(batch, count) + 1, batch):
        yield order[start : start + batch]


@torch.no_grad()
def _average(target: nn.Module, source: nn.Module, decay: float) -> None:
    for kept, new in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def _resume(
    checkpoint: Path,
    recipe: Recipe,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> list[EpochResult]:
    if not checkpoint.exists():
        return []
    state = torch.load(checkpoint, weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise ModelError(
            f"{checkpoint} belongs to another recipe; choose an empty folder "
            "or remove it to start anew"
        )
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    return [EpochResult(**row) for row in state["log"]]


def _save(
    checkpoint: Path,
    recipe: Recipe,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
    log: list[EpochResult],
) -> None:
    state: dict[str, Any] = {
        "recipe": asdict(recipe),
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "log": [asdict(row) for row in log],
    }
    beside = checkpoint.with_suffix(".part")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(checkpoint)


def _write_log(path: Path, log: list[EpochResult]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(EpochResult)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in log)
