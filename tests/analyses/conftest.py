"""A tiny network and pictures that every test of an analysis may use."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fervis.analyses import Context, Subjects
from fervis.text import Text

CLASSES = (
    Text({"en": "angry", "zh-Hant": "生氣"}),
    Text({"en": "happy", "zh-Hant": "高興"}),
    Text({"en": "sad", "zh-Hant": "難過"}),
)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def rngs(count: int, seed: int = 0) -> tuple[np.random.Generator, ...]:
    return tuple(np.random.default_rng([seed, place]) for place in range(count))


def subjects_of(images: np.ndarray, labels: np.ndarray | None) -> Subjects:
    return Subjects(images, labels, rngs(len(images)))


def one(subjects: Subjects, place: int) -> Subjects:
    """The same subjects, narrowed to one picture (its generator in its first state)."""
    labels = None if subjects.labels is None else subjects.labels[place : place + 1]
    return Subjects(subjects.images[place : place + 1], labels, (rngs(place + 1)[place],))


@pytest.fixture
def images() -> np.ndarray:
    """Five pictures 12×10, gray, smooth enough to have segments."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (5, 4, 5, 1)).repeat(3, 1).repeat(2, 2)
    return np.clip(coarse + rng.integers(-9, 10, (5, 12, 10, 1)), 0, 255).astype(np.uint8)


@pytest.fixture
def subjects(images: np.ndarray) -> Subjects:
    return subjects_of(images, np.array([0, 1, 2, 1, 0]))


@pytest.fixture
def context(images: np.ndarray) -> Context:
    return Context(
        classes=CLASSES, split="test", seed=7, image=images[0], name="0", index=55, label=0
    )
