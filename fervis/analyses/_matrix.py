"""A confusion matrix in words, cells and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.analyses._contract import Result
from fervis.analyses._words import DASH, percent
from fervis.draw.figure import Table
from fervis.text import Message, Text, message


def axis_keys(names: Sequence[Text]) -> dict[str, Text]:
    """One distinct text for each class in the drawing, and what it says in each language."""
    keys: dict[str, Text] = {}
    for label, name in enumerate(names):
        short = Text({language: _short(text) for language, text in name.by_language.items()})
        key = short.in_language("en") or str(label)
        keys[f"{key} ({label})" if key in keys else key] = short
    return keys


def _short(name: str, longest: int = 12) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def notes(
    counts: NDArray[Any], shares: NDArray[Any], normalise: bool
) -> list[list[tuple[str, ...]]]:
    """What each cell of the drawing says: share and count, or the count alone, or a dash."""

    def note(row: int, column: int) -> tuple[str, ...]:
        if np.isnan(shares[row, column]):
            return (DASH,)
        count = str(int(counts[row, column]))
        return (percent(float(shares[row, column])), count) if normalise else (count,)

    return [[note(row, column) for column in range(len(counts))] for row in range(len(counts))]


def summary(shares: NDArray[Any], names: Sequence[Text], numbers: dict[str, Any]) -> Message:
    """The alternative text: accuracy, and the classes recognised best and least."""
    recall = shares.diagonal()
    if np.isnan(recall).all():
        return message("Confusion matrix of {samples} pictures.", **numbers)
    best, worst = int(np.nanargmax(recall)), int(np.nanargmin(recall))
    return message(
        "Confusion matrix of {samples} pictures, accuracy {accuracy}. Best recognised is {best} "
        "with {best_share}, least {worst} with {worst_share}; the tables give every number.",
        **numbers,
        best=names[best],
        best_share=percent(float(recall[best])),
        worst=names[worst],
        worst_share=percent(float(recall[worst])),
    )


def largest(
    counts: NDArray[Any], shares: NDArray[Any], names: Sequence[Text], most: int = 3
) -> tuple[Message, ...]:
    """The largest off-diagonal shares, in words."""
    wrong = np.nan_to_num(shares.copy())
    np.fill_diagonal(wrong, 0.0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return tuple(
        message(
            "{share} of {true} ({count} of {support}) is taken for {predicted}.",
            share=percent(float(wrong[row, column])),
            true=names[row],
            count=int(counts[row, column]),
            support=int(counts[row].sum()),
            predicted=names[column],
        )
        for row, column in (divmod(int(place), len(counts)) for place in order)
        if wrong[row, column] > 0
    )


def rates_table(result: Result, names: Sequence[Text]) -> Table:
    """Precision, recall, F1 and the number of samples of each class."""

    def cell(name: str, label: int) -> str:
        return percent(float(np.asarray(result.arrays[name])[label]), 1)

    return Table(
        message("Rates of each class; a dash where a class has no samples or is never predicted."),
        (
            message("Class"),
            message("Precision"),
            message("Recall"),
            message("F1"),
            message("Samples"),
        ),
        tuple(
            (
                name,
                cell("precision", label),
                cell("recall", label),
                cell("f1", label),
                int(np.asarray(result.arrays["support"])[label]),
            )
            for label, name in enumerate(names)
        ),
    )


def matrix_tables(
    counts: NDArray[Any], shares: NDArray[Any], names: Sequence[Text]
) -> tuple[Table, Table]:
    """The whole matrix twice, as shares of each row and as counts."""
    header: tuple[Message | Text, ...] = (message("True class"), *names)
    return (
        Table(
            message("Shares: rows are true classes, columns predicted ones."),
            header,
            tuple(
                (name, *(percent(float(share), 1) for share in row))
                for name, row in zip(names, shares, strict=True)
            ),
        ),
        Table(
            message("Counts: rows are true classes, columns predicted ones."),
            header,
            tuple(
                (name, *(int(count) for count in row))
                for name, row in zip(names, counts, strict=True)
            ),
        ),
    )
