"""Confusion matrix: which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses._contract import Context, Result, Scope, Subjects
from fervis.analyses._contract import Options as AnalysisOptions
from fervis.analyses._matrix import (
    axis_keys,
    largest,
    matrix_tables,
    notes,
    rates_table,
    summary,
)
from fervis.analyses._words import class_name, percent
from fervis.draw import colour, png
from fervis.draw.figure import ColourBar, Fact, Figure, Panel
from fervis.errors import AnalysisError
from fervis.text import Message, Text, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "split"
VERSION = 1
TITLE = message("Confusion matrix")
ANSWERS = message("How often is the network right, and which classes does it take for which?")
FORMULA = r"M_{ij} = \frac{\#\{n : t_n = i,\ \hat y_n = j\}}{\#\{n : t_n = i\}}"
LIMITS = message(
    "It counts only the most probable class and says nothing of how sure the network was. With few "
    "pictures of a class its row is uncertain."
)
PAPER = (
    "Efron, Tibshirani: An Introduction to the Bootstrap (1993), "
    "https://doi.org/10.1201/9780429246593"
)
RESAMPLES = 10_000
MOST_IN_CELLS = 50
"""Classes: a chart of more has cells too small to read, and takes minutes to draw at 1000."""


class Options(AnalysisOptions):
    """Options of ``confusion``."""

    split: str | None = Field(
        None, description="the split that is counted; if left out, the one under `data:`"
    )
    normalise: bool = Field(
        True, description="colours and first numbers are shares of the true class, not counts"
    )

    def numbers_decided_by(self) -> dict[str, object]:
        """None of them: the content of the split is in the key already."""
        return {}


def compute(
    classifier: Classifier | None,  # noqa: ARG001
    subjects: Subjects,
    options: Options,  # noqa: ARG001
) -> Sequence[Result]:
    """Counts and rates of a labelled split; rows are true classes, columns predicted ones.

    Arrays: ``counts`` (K, K), ``shares`` (K, K) of each row, ``precision``, ``recall``, ``f1``,
    ``support`` (K,); NaN where a class has no samples or is never predicted. Numbers: accuracy
    with ``low`` and ``high``, the 95 % percentile bootstrap interval. Raises AnalysisError
    without labels.
    """
    labels, probabilities = subjects.labels, subjects.probabilities
    if labels is None or probabilities is None:
        raise AnalysisError(
            "this split has no labels, and a confusion matrix needs them; name a "
            "labelled split with `split:`"
        )
    if not len(labels):
        raise AnalysisError("this split is empty, so there is nothing to count")
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    accuracy = float(np.trace(counts) / len(labels))
    # Resampling right and wrong answers with replacement is drawing from this binomial.
    resampled = subjects.rngs[0].binomial(len(labels), accuracy, RESAMPLES) / len(labels)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return [
        Result(
            _rates(counts),
            {
                "accuracy": accuracy,
                "low": float(low),
                "high": float(high),
                "samples": len(labels),
                "resamples": RESAMPLES,
            },
        )
    ]


def _rates(counts: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    support, claimed, right = counts.sum(1), counts.sum(0), counts.diagonal()
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / claimed, right / support
        f1 = np.where(support > 0, 2 * right / (support + claimed), np.nan)
        shares = counts / support[:, None]
    return {
        "counts": counts,
        "shares": shares,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support,
    }


def draw(result: Result, options: Options, context: Context) -> Figure:
    """The matrix as a heat map, the rates and both matrices as tables."""
    counts, shares = np.asarray(result.arrays["counts"]), np.asarray(result.arrays["shares"])
    names = [class_name(context, label) for label in range(len(counts))]
    numbers = {
        "samples": result.numbers["samples"],
        "split": context.split,
        "accuracy": percent(_float(result, "accuracy"), 1),
        "low": percent(_float(result, "low"), 1),
        "high": percent(_float(result, "high"), 1),
    }
    return Figure(
        panels=(_panel(counts, shares, names, options, summary(shares, names, numbers)),),
        caption=message(
            "{samples} pictures of “{split}”: rows are true classes, columns predicted ones. "
            "Accuracy {accuracy} (95% interval {low}–{high}).",
            **numbers,
        ),
        facts=(
            Fact(message("Split"), context.split),
            Fact(message("Samples"), int(counts.sum())),
            Fact(
                message("Accuracy"),
                message("{accuracy}, 95% bootstrap interval {low} to {high}", **numbers),
            ),
            Fact(
                message("Scaling"),
                message("shares of each true class") if options.normalise else message("counts"),
            ),
            Fact(message("Seed"), context.seed),
        ),
        tables=(
            rates_table(result, names),
            *(matrix_tables(counts, shares, names) if len(names) <= MOST_IN_CELLS else ()),
        ),
        remarks=(*largest(counts, shares, names), *_left_out(len(names))),
        data=dict(result.arrays),
    )


def _panel(
    counts: NDArray[np.int64],
    shares: NDArray[np.floating[Any]],
    names: Sequence[Text],
    options: Options,
    alt: Message,
) -> Panel:
    """A chart with a named row and column for each class; of very many, a map of pixels."""
    shown = shares if options.normalise else counts / max(int(counts.max()), 1)
    title = message("Confusion matrix")
    if len(names) > MOST_IN_CELLS:
        values = np.nan_to_num(shown)
        maps = {name: png.encode(colour.colourise(values, name)) for name in colour.COLOUR_MAPS}
        bar = ColourBar(0.0, 1.0 if options.normalise else float(counts.max()), "jet")
        size = len(names)
        return Panel("matrix", "map", title, alt, size, size, maps["jet"], "", bar, maps)
    from fervis.draw import chart

    keys = axis_keys(names)
    svg, height = chart.heatmap(
        shown,
        notes(counts, shares, options.normalise),
        list(keys),
        rows="True class",
        columns="Predicted class",
    )
    words: dict[str, Text | Message] = {
        **keys,
        "True class": message("True class"),
        "Predicted class": message("Predicted class"),
    }
    return Panel("matrix", "chart", title, alt, chart.WIDTH, height, svg=svg, words=words)


def _left_out(classes: int) -> tuple[Message, ...]:
    if classes <= MOST_IN_CELLS:
        return ()
    return (
        message(
            "{classes} classes are too many for a table: one pixel is one cell, class 0 is at the "
            "top and at the left, and the counts are among the raw data.",
            classes=classes,
        ),
    )


def _float(result: Result, name: str) -> float:
    return float(result.numbers[name] or 0.0)
