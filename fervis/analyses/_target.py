"""Which class of a picture is explained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses._contract import ImageOptions, Number
from fervis.errors import AnalysisError

Target = Literal["true", "predicted"] | Annotated[int, Field(ge=0)]


class TargetOptions(ImageOptions):
    """Options of an analysis that explains one class of each picture."""

    target: Target | None = Field(
        None,
        description="the class that is explained: `true`, `predicted` or a class number; if left "
        "out, the true class where it is known, else the predicted one",
    )


def targets(
    wanted: Target | None, labels: NDArray[np.int64] | None, logits: NDArray[np.floating[Any]]
) -> NDArray[np.int64]:
    """The explained class of each picture (N,), from labels (N,) or None and logits (N, K).

    Raises AnalysisError for the true class of unlabelled pictures and for a class that the
    network does not have.
    """
    count, classes = logits.shape
    if wanted == "true" and labels is None:
        raise AnalysisError(
            "these pictures have no labels, so there is no true class to explain; "
            "write `target: predicted` or a class number"
        )
    if isinstance(wanted, int):
        if wanted >= classes:
            raise AnalysisError(
                f"there is no class {wanted} to explain; the network has classes 0 to {classes - 1}"
            )
        return np.full(count, wanted, np.int64)
    if wanted == "predicted" or labels is None:
        return np.asarray(logits.argmax(axis=1), np.int64)
    return labels.astype(np.int64)


def numbers(logits: NDArray[np.floating[Any]], target: int) -> dict[str, Number]:
    """What a figure says of the explained class, from one picture's logits (K,)."""
    exponents = np.exp(logits.astype(np.float64) - logits.max())
    return {
        "target": int(target),
        "predicted": int(logits.argmax()),
        "logit": float(logits[target]),
        "probability": float(exponents[target] / exponents.sum()),
    }
