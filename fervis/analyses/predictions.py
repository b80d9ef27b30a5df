"""Predictions: how probable the network finds each class of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fervis.analyses._batches import network
from fervis.analyses._contract import Context, ImageOptions, Result, Scope, Subjects
from fervis.analyses._words import class_name, percent, picture_panel
from fervis.draw.figure import Fact, Figure, Table
from fervis.text import Message, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "image"
VERSION = 2
TITLE = message("Predictions")
ANSWERS = message("How probable does the network find each class of this picture?")
FORMULA = r"p_k = \frac{e^{y^k}}{\sum_j e^{y^j}}"
LIMITS = message(
    "A high probability is not a promise: networks are often surer than they are right, also of "
    "pictures unlike any that they were trained on."
)
PAPER = (
    "Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (2017), "
    "https://arxiv.org/abs/1706.04599"
)


class Options(ImageOptions):
    """Options of ``predictions``."""


def compute(
    classifier: Classifier | None,
    subjects: Subjects,
    options: Options,  # noqa: ARG001
) -> Sequence[Result]:
    """Array ``probabilities`` (K,) of each picture, summing to 1."""
    probabilities = network(classifier).probabilities(subjects.images)
    return [
        Result({"probabilities": row}, {"predicted": int(row.argmax())}) for row in probabilities
    ]


def draw(result: Result, options: Options, context: Context) -> Figure:  # noqa: ARG001
    """The picture and a table of the classes with their probabilities in 0…1."""
    probabilities = np.asarray(result.arrays["probabilities"])
    return Figure(
        panels=(picture_panel(context),),
        caption=_verdict(probabilities, context),
        facts=(Fact(message("Method"), message("softmax of the logits")),),
        tables=(
            Table(
                message("Probability of each class."),
                (message("Class"), message("Probability")),
                tuple(
                    (class_name(context, label), round(float(value), 4))
                    for label, value in enumerate(probabilities)
                ),
            ),
        ),
        data=dict(result.arrays),
    )


def _verdict(probabilities: np.ndarray, context: Context) -> Message:
    predicted = int(probabilities.argmax())
    words = {
        "predicted": class_name(context, predicted),
        "probability": percent(float(probabilities[predicted]), 1),
    }
    if context.label is None:
        return message("The network says {predicted}, with probability {probability}.", **words)
    words["true"] = class_name(context, context.label)
    if predicted == context.label:
        return message(
            "The network says {predicted}, with probability {probability}, and is right.", **words
        )
    return message(
        "The network says {predicted}, with probability {probability}; the true class "
        "is {true}, to which it gives {given}.",
        **words,
        given=percent(float(probabilities[context.label]), 1),
    )
