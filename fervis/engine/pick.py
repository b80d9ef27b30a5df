"""``auto`` in ``images:``: the typical picture of a class, chosen by the network's confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def median_correct(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], label: int
) -> int | None:
    """Index of the correctly classified picture of ``label`` whose confidence is the median.

    probabilities (N, K), labels (N,). Of an even number the less confident of the two in the
    middle; equal confidences go by index. None if no picture of the class is classified correctly.
    """
    right = np.flatnonzero((labels == label) & (probabilities.argmax(1) == label))
    if not len(right):
        return None
    order = np.lexsort((right, probabilities[right, label]))
    return int(right[order[(len(right) - 1) // 2]])
