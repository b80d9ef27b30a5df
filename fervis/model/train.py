"""Train a classifier: augmentation, one cycle, label smoothing, averaged weights, resumable."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.model.augment import Augmentation, augment

COLUMNS = ("epoch", "size", "learning_rate", "train_loss", "train_accuracy",
           "valid_loss", "valid_accuracy", "seconds")


@dataclass(frozen=True)
class Stage:
    """Some epochs at one picture size. ``extra`` mixes in the second data set (the faces)."""

    epochs: int
    size: int
    extra: bool = False


@dataclass(frozen=True)
class Recipe:
    """All that decides the outcome of a training run besides network, data and machine.

    ``learning_rate`` is the peak of the one-cycle schedule (Smith 2018), reached after ``warm_up``
    of the run; ``averaging`` is the decay of the exponential moving average of the weights, which
    is what is saved. ``precision`` is "float32" or "bfloat16" (autocast).
    """

    stages: tuple[Stage, ...] = (Stage(12, 32), Stage(6, 40), Stage(16, 48))
    batch: int = 128
    learning_rate: float = 0.1
    warm_up: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    averaging: float = 0.998
    precision: str = "bfloat16"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> Stage:
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("epoch beyond the last stage")


@dataclass(frozen=True)
class LabelledImages:
    """images (N, H, W, C) uint8 and labels (N,) integers."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class EpochResult:
    """One line of the CSV log. Losses in nats, accuracies in 0…1, of the averaged weights."""

    epoch: int
    size: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float


def one_cycle(progress: float, warm_up: float) -> float:
    """Share of the peak learning rate at ``progress`` in 0…1: linear up, cosine down to zero."""
    if progress < warm_up:
        return 0.04 + 0.96 * progress / warm_up
    return float(0.5 * (1 + np.cos(np.pi * (progress - warm_up) / (1 - warm_up))))


def _to_tensor(images: np.ndarray) -> Tensor:
    """(N, H, W, C) uint8 → (N, C, H, W) float32 in 0…1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255)


def _batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
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


@torch.no_grad()
def evaluate(
    network: nn.Module,
    data: LabelledImages,
    normalise: Callable[[Tensor], Tensor],
    precision: str = "float32",
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in eval mode; the mode of every module is put back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    loss = correct = 0.0
    for start in range(0, len(data.labels), 256):
        labels = torch.from_numpy(data.labels[start : start + 256].astype(np.int64))
        images = normalise(_to_tensor(data.images[start : start + 256]))
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = network(images.contiguous(memory_format=torch.channels_last)).float()
        loss += float(F.cross_entropy(logits, labels, reduction="sum"))
        correct += float((logits.argmax(1) == labels).sum())
    for module, mode in modes:
        module.training = mode
    return loss / len(data.labels), correct / len(data.labels)


def _save(state: dict[str, Any], path: Path) -> None:
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def train(
    network: nn.Module,
    main: LabelledImages,
    extra: Callable[[], LabelledImages] | None,
    valid: LabelledImages,
    recipe: Recipe,
    folder: Path,
    *,
    mean: float,
    std: float,
    on_batch: Callable[[int, int, int, float], None] = lambda *_: None,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
) -> nn.Module:
    """Trains ``network`` in place and returns the network with averaged weights, in eval mode.

    After every epoch ``folder/checkpoint.pt`` and ``folder/log.csv`` are written; a run that was
    stopped continues from there and ends with the same numbers, because every epoch draws from
    its own generator. ``extra`` is read when the first stage that wants it begins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = torch.optim.swa_utils.AveragedModel(network).module
    optimiser = torch.optim.SGD(network.parameters(), recipe.learning_rate, recipe.momentum,
                                weight_decay=recipe.weight_decay, nesterov=True)
    log: list[EpochResult] = []
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["recipe"] != asdict(recipe):
            raise ValueError(f"{checkpoint} belongs to another recipe; choose an empty folder")
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        log = [EpochResult(**row) for row in state["log"]]

    def normalise(images: Tensor) -> Tensor:
        return (images - mean) / std

    mixed: LabelledImages | None = None
    for epoch in range(len(log), recipe.epochs):
        stage, started = recipe.stage_of(epoch), time.perf_counter()
        data = main
        if stage.extra and extra is not None:
            if mixed is None:
                more = extra()
                mixed = LabelledImages(np.concatenate([main.images, more.images]),
                                       np.concatenate([main.labels, more.labels]))
            data = mixed
        rng = np.random.default_rng([recipe.seed, epoch])
        torch.manual_seed(int(rng.integers(1 << 31)))  # dropout
        network.train()
        total = correct = seen = 0.0
        batches = list(_batches(len(data.labels), recipe.batch, rng))
        for number, chosen in enumerate(batches):
            share = one_cycle((epoch + number / len(batches)) / recipe.epochs, recipe.warm_up)
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * share
            labels = torch.from_numpy(data.labels[chosen].astype(np.int64))
            images = augment(_to_tensor(data.images[chosen]), stage.size, recipe.augmentation, rng)
            images = normalise(images).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                logits = network(images)
            loss = F.cross_entropy(logits.float(), labels,
                                   label_smoothing=recipe.label_smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            # Early weights are far off; a short memory at first lets the average follow.
            _average(averaged, network, min(recipe.averaging, 1 - 1 / (1 + number + 200 * epoch)))
            total += float(loss.detach()) * len(labels)
            correct += float((logits.argmax(1) == labels).sum())
            seen += len(labels)
            on_batch(epoch, number, len(batches), total / seen)
        valid_loss, valid_accuracy = evaluate(averaged, valid, normalise, recipe.precision)
        log.append(EpochResult(epoch, stage.size, recipe.learning_rate * share, total / seen,
                               correct / seen, valid_loss, valid_accuracy,
                               time.perf_counter() - started))
        _save({"recipe": asdict(recipe), "network": network.state_dict(),
               "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(),
               "log": [asdict(row) for row in log]}, checkpoint)
        with (folder / "log.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(asdict(row) for row in log)
        on_epoch(log[-1])
    return averaged.eval()
