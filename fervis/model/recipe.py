"""What decides a training run: stages, schedule, regularisation, seed. Kept beside the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fervis.model.augment import Augmentation


@dataclass(frozen=True)
class Stage:
    """Some epochs at one picture size. ``extra`` mixes in the second data set (the faces).

    Small pictures first ("progressive resizing") make the early epochs, in which the network only
    learns coarse things, two to three times cheaper.
    """

    epochs: int
    size: int
    extra: bool = False


@dataclass(frozen=True)
class Recipe:
    """All that decides the outcome of a training run besides network, data and machine.

    ``learning_rate`` is the peak of the one-cycle schedule (Smith 2018), reached after ``warm_up``
    of the run; ``averaging`` is the decay of the exponential moving average of the weights, which
    is what is saved. ``precision`` is "float32", "bfloat16" (autocast), or "auto": bfloat16 where
    the processor multiplies it natively.
    """

    stages: tuple[Stage, ...] = (Stage(12, 32), Stage(6, 40), Stage(6, 48), Stage(11, 48, True))
    batch: int = 128
    learning_rate: float = 0.1
    warm_up: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    averaging: float = 0.998
    precision: str = "auto"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> Stage:
        """The stage that an epoch, counted from 0, belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("epoch beyond the last stage")

    def learning_rate_at(self, progress: float) -> float:
        """One cycle: linear up until ``warm_up``, then cosine down to zero; progress in 0…1."""
        if progress < self.warm_up:
            return self.learning_rate * (0.04 + 0.96 * progress / self.warm_up)
        rest = (progress - self.warm_up) / (1 - self.warm_up)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))
