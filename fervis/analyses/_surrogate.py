"""The lime package, fed with masks and probabilities that are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KERNEL_WIDTH = 0.25


@dataclass(frozen=True)
class Fit:
    """A local linear model: ``weights`` (segments,), its intercept and its weighted R²."""

    weights: NDArray[np.float64]
    intercept: float
    r2: float


def explainer() -> Callable[..., Fit]:
    """A function of image, segments, masks, probabilities and label that lets lime fit.

    image (H, W, C) uint8; segments (H, W); masks (S, K) of 0 and 1, row 0 all ones; probabilities
    (S, classes). Distances, kernel, regression and score are the package's own (Ribeiro et al.
    2016, eq. 2); only its loop over pictures and its progress bar are left out.
    """
    from lime.lime_image import LimeImageExplainer

    class Known(LimeImageExplainer):  # type: ignore[misc]
        masks: NDArray[Any]
        probabilities: NDArray[Any]

        def data_labels(self, *_: Any, **__: Any) -> tuple[NDArray[Any], NDArray[Any]]:
            return self.masks, self.probabilities

    known = Known(kernel_width=KERNEL_WIDTH, feature_selection="none", random_state=0)

    def fit(
        image: NDArray[np.uint8],
        segments: NDArray[np.int64],
        masks: NDArray[np.uint8],
        probabilities: NDArray[np.floating[Any]],
        label: int,
    ) -> Fit:
        known.masks, known.probabilities = masks.astype(np.float64), probabilities
        found = known.explain_instance(
            image if image.shape[2] == 3 else image[:, :, 0],
            None,
            labels=(label,),
            top_labels=None,
            segmentation_fn=lambda _: segments,
            random_seed=0,
        )
        weights = np.zeros(masks.shape[1])
        for segment, weight in found.local_exp[label]:
            weights[segment] = weight
        return Fit(weights, float(found.intercept[label]), float(found.score))

    return fit
