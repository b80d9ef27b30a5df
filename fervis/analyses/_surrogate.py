"""The straight line that LIME fits to a network around a picture: ours, or the lime package's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fervis.model.mosaics import Mosaics

KERNEL_WIDTH = 0.25
PENALTY = 1.0  # of ridge regression


@dataclass(frozen=True)
class Fit:
    """A local linear model: ``weights`` (segments,), its intercept and its weighted R²."""

    weights: NDArray[np.float64]
    intercept: float
    r2: float


Fitting: TypeAlias = Callable[[Mosaics, NDArray[np.floating[Any]], int], Fit]
"""Fits to mosaics whose first row of masks is all ones, probabilities (S, classes) and a label."""


def ridge(mosaics: Mosaics, probabilities: NDArray[np.floating[Any]], label: int) -> Fit:
    """Ridge regression weighted by closeness to the picture (Ribeiro et al. 2016, eq. 2).

    The numbers of the lime package, by its normal equations: importing that package and what it
    stands on takes longer than the network needs for a picture.
    """
    rows = mosaics.masks.astype(np.float64)
    response = probabilities[:, label].astype(np.float64)
    distance = 1 - np.sqrt(rows.mean(axis=1))  # cosine distance of a binary row from all ones
    near = np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2))
    centre, middle = near @ rows / near.sum(), near @ response / near.sum()
    rows, response = rows - centre, response - middle  # so that the intercept is not penalised
    moments = rows.T @ (near[:, None] * rows) + PENALTY * np.eye(rows.shape[1])
    weights = np.linalg.solve(moments, rows.T @ (near * response))
    missed, spread = near @ (response - rows @ weights) ** 2, near @ response**2
    r2 = 1 - missed / spread if spread > 0 else float(missed == 0)  # as scikit-learn has it
    return Fit(weights, float(middle - centre @ weights), float(r2))


def by_package() -> Fitting:
    """The same through the lime package, fed with masks and probabilities that are known already.

    Distances, kernel, regression and score are its own; only its loop over pictures and its
    progress bar are left out.
    """
    from lime.lime_image import LimeImageExplainer

    class Known(LimeImageExplainer):  # type: ignore[misc]
        masks: NDArray[Any]
        probabilities: NDArray[Any]

        def data_labels(self, *_: Any, **__: Any) -> tuple[NDArray[Any], NDArray[Any]]:
            return self.masks, self.probabilities

    known = Known(kernel_width=KERNEL_WIDTH, feature_selection="none", random_state=0)

    def fit(mosaics: Mosaics, probabilities: NDArray[np.floating[Any]], label: int) -> Fit:
        known.masks, known.probabilities = mosaics.masks.astype(np.float64), probabilities
        image = mosaics.shown
        found = known.explain_instance(
            image if image.shape[2] == 3 else image[:, :, 0],
            None,
            labels=(label,),
            top_labels=None,
            segmentation_fn=lambda _: mosaics.parts,
            random_seed=0,
        )
        weights = np.zeros(mosaics.masks.shape[1])
        for segment, weight in found.local_exp[label]:
            weights[segment] = weight
        return Fit(weights, float(found.intercept[label]), float(found.score))

    return fit
