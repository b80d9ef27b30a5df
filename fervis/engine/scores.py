"""Scores of a classifier on labelled pictures: accuracy with intervals, recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A share in 0…1 with its 95 % bootstrap interval, and the number of pictures behind it."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%}–{self.high:.1%})"


def accuracy(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Accuracy and its percentile bootstrap interval.

    probabilities (N, K), labels (N,). ``groups`` (N,) are resampled as wholes: pictures of one
    identity are not independent, and counting them as such makes intervals too narrow.
    """
    right = (probabilities.argmax(1) == labels).astype(np.float64)
    names = np.arange(len(right)) if groups is None else np.unique(groups, return_inverse=True)[1]
    hits = np.bincount(names, right)
    sizes = np.bincount(names).astype(np.float64)
    rng = np.random.default_rng(seed)
    values = np.empty(draws)
    for draw in range(draws):  # one draw at a time: N × draws indices would not fit for large N
        chosen = rng.integers(0, len(sizes), len(sizes))
        values[draw] = hits[chosen].sum() / sizes[chosen].sum()
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(right.mean()), float(low), float(high), len(right))


def recall(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) share of each class that is recognised; NaN for a class without pictures."""
    classes = probabilities.shape[1]
    right = np.bincount(labels[probabilities.argmax(1) == labels], minlength=classes)
    support = np.bincount(labels, minlength=classes)
    shares: NDArray[np.float64] = np.full(classes, np.nan)
    np.divide(right, support, out=shares, where=support > 0)
    return shares


def confusion(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K, K) counts; rows true, columns predicted."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = 15
) -> float:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017) with equal-width bins."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, right, bins) - np.bincount(place, confidence, bins)
    return float(np.abs(gaps).sum() / len(labels))
