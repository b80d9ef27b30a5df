"""The batch is the unit of work: slices of a size that every machine's memory can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fervis.errors import AnalysisError

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

GRADIENT_BATCH = 32
"""Pictures that keep all their activations for a backward pass at the same time."""


def batches(count: int, size: int = GRADIENT_BATCH) -> Iterator[slice]:
    """Slices that cover range(count), each of at most ``size``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def in_company(count: int, size: int = GRADIENT_BATCH) -> Iterator[NDArray[np.intp]]:
    """Indices that cover range(count) in order, at most ``size`` at a time and none on its own.

    Libraries compute a lone picture by other kernels, which differ in the last digits; so it comes
    twice, and a result does not depend on which others were missing. Drop what is beyond ``count``.
    """
    for part in batches(count, size):
        indices = np.arange(part.start, part.stop)
        yield indices if len(indices) > 1 else indices.repeat(2)


def network(classifier: Classifier | None) -> Classifier:
    """The classifier, which this analysis cannot do without."""
    if classifier is None:
        raise AnalysisError("this analysis needs a network; name one under `model:`")
    return classifier
