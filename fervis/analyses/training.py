"""Training curves: how loss and accuracy went while the network learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses._contract import Context, Result, Scope, Subjects
from fervis.analyses._contract import Options as AnalysisOptions
from fervis.analyses._words import DASH, number
from fervis.draw.figure import Fact, Figure, Panel, Table
from fervis.errors import AnalysisError
from fervis.text import Message, Text, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "log"
VERSION = 1
TITLE = message("Training curves")
ANSWERS = message("Did the network still learn at the end, and did it begin to learn by heart?")
FORMULA = r"\mathcal{L} = -\frac{1}{N} \sum_n \log p_{t_n}(x_n)"
LIMITS = message(
    "Losses with different settings (label smoothing, augmentation) cannot be compared. The best "
    "epoch on the validation pictures is a little flattering, because it was chosen on them."
)
PAPER = (
    "Goodfellow, Bengio, Courville: Deep Learning, section 7.8 (2016), "
    "https://www.deeplearningbook.org"
)

_STEPS = ("epoch", "step", "iteration")
_QUANTITIES = {
    "loss": (("loss", "nll", "cross_entropy"), message("Loss"), message("loss")),
    "accuracy": (("acc",), message("Accuracy"), message("accuracy")),
}
_SIDES = {
    "train": message("training"),
    "valid": message("validation"),
    "val": message("validation"),
    "test": message("test"),
}


class Options(AnalysisOptions):
    """Options of ``training``."""

    log: Path | None = Field(
        None,
        description="a CSV file with one row an epoch and columns such as train_loss; if "
        "left out, `log.csv` beside the weights",
    )

    def numbers_decided_by(self) -> dict[str, object]:
        """None of them: the content of the log is in the key already."""
        return {}


def compute(
    classifier: Classifier | None,  # noqa: ARG001
    subjects: Subjects,
    options: Options,  # noqa: ARG001
) -> Sequence[Result]:
    """The columns of the log that are losses or accuracies, and the epochs.

    Arrays: ``epoch`` (N,) and one (N,) float64 for each column kept, under its own name. Raises
    AnalysisError if no column has loss or accuracy in its name.
    """
    log = {name.strip(): values for name, values in subjects.log.items()}
    columns = {name: values for name, values in log.items() if _quantity(name)}
    if not columns or not len(next(iter(columns.values()))):
        raise AnalysisError(
            "the log has no curve to draw; expected columns with loss or accuracy "
            f"in their names, found {', '.join(log) or 'none'}"
        )
    steps = next((log[name] for name in log if name.lower() in _STEPS), None)
    rows = len(next(iter(columns.values())))
    epochs = np.arange(1, rows + 1, dtype=np.float64) if steps is None else steps
    return [Result({"epoch": epochs, **columns}, {"epochs": rows})]


def _quantity(column: str) -> str | None:
    found = (
        name
        for name, (marks, _, _) in _QUANTITIES.items()
        if any(mark in column.lower() for mark in marks)
    )
    return next(found, None)


def _side(column: str) -> Message | Text:
    """ "train_loss" as "training"; a column of another style keeps its name."""
    words = column.lower().replace("-", "_").split("_")
    return next((_SIDES[word] for word in words if word in _SIDES), Text.same(column))


def _titles(columns: Iterable[str]) -> dict[str, Message | Text]:
    """ "train_loss" as "training loss"; columns that would be called alike keep their names."""
    titles: dict[str, Message | Text] = {}
    for column in columns:
        side, quantity = _side(column), _quantity(column)
        titles[column] = Text.same(column)
        if quantity and isinstance(side, Message):
            words = {"side": side, "quantity": _QUANTITIES[quantity][2]}
            titles[column] = message("{side} {quantity}", **words)
    said = Counter(map(repr, titles.values()))
    return {
        column: title if said[repr(title)] == 1 else Text.same(column)
        for column, title in titles.items()
    }


def draw(result: Result, options: Options, context: Context) -> Figure:  # noqa: ARG001
    """One chart for the losses, one for the accuracies, and a table of a few epochs."""
    epochs = np.asarray(result.arrays["epoch"], np.float64)
    groups: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, values in result.arrays.items():
        quantity = _quantity(name)
        if quantity and name != "epoch":
            groups.setdefault(quantity, {})[name] = np.asarray(values, np.float64)
    best, by = _best(groups)
    titles = _titles(name for columns in groups.values() for name in columns)
    return Figure(
        panels=tuple(
            _chart(quantity, epochs, groups[quantity], titles)
            for quantity in _QUANTITIES
            if quantity in groups
        ),
        caption=message(
            "{epochs} epochs of training. By {column} the best one is epoch {best}, with {value}.",
            epochs=len(epochs),
            column=titles[by],
            best=f"{epochs[best]:g}",
            value=number(float(_column(groups, by)[best])),
        ),
        facts=(Fact(message("Epochs"), len(epochs)),),
        tables=(_table(epochs, groups, titles, best),),
        data=dict(result.arrays),
    )


def _chart(
    quantity: str,
    epochs: NDArray[np.float64],
    columns: Mapping[str, NDArray[np.float64]],
    titles: Mapping[str, Message | Text],
) -> Panel:
    from fervis.draw import chart

    title = _QUANTITIES[quantity][1]
    words = {column: _side(column) for column in columns}
    if len({repr(word) for word in words.values()}) < len(words):
        words = {column: Text.same(column) for column in columns}
    shares = all(np.nanmax(values, initial=0) <= 1 for values in columns.values())
    svg, height = chart.curves(
        epochs,
        columns,
        x_title="Epoch",
        y_title=title.msgid,
        unit_range=quantity == "accuracy" and shares,
    )
    first, last = next(iter(columns)), list(columns)[-1]
    return Panel(
        quantity,
        "chart",
        title,
        message(
            "Curves over {epochs} epochs: {first} goes from {first_start} to {first_end}, "
            "{last} from {last_start} to {last_end}.",
            epochs=len(epochs),
            first=titles[first],
            first_start=_at(columns[first], 0),
            first_end=_at(columns[first], -1),
            last=titles[last],
            last_start=_at(columns[last], 0),
            last_end=_at(columns[last], -1),
        ),
        chart.CURVES_WIDTH,
        height,
        svg=svg,
        words={**words, "Epoch": message("Epoch"), title.msgid: title},
    )


def _at(values: NDArray[np.float64], place: int) -> str:
    """Three digits, also where the last is a nought: a column of them must line up."""
    return DASH if np.isnan(values[place]) else f"{values[place]:#.3g}".rstrip(".")


def _column(
    groups: Mapping[str, Mapping[str, NDArray[np.float64]]], name: str
) -> NDArray[np.float64]:
    return next(columns[name] for columns in groups.values() if name in columns)


def _best(groups: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> tuple[int, str]:
    """The best row and the column that decides: held-out accuracy if there is one, else loss."""
    for quantity, sign in (("accuracy", -1.0), ("loss", 1.0)):
        columns = groups.get(quantity)
        if columns:
            held_out = [name for name in columns if "train" not in name.lower()]
            name = held_out[0] if held_out else next(iter(columns))
            values = np.where(np.isnan(columns[name]), np.inf, sign * columns[name])
            return int(values.argmin()), name
    raise ValueError("the result has no curves")


def _table(
    epochs: NDArray[np.float64],
    groups: Mapping[str, Mapping[str, NDArray[np.float64]]],
    titles: Mapping[str, Message | Text],
    best: int,
) -> Table:
    columns = {name: values for group in groups.values() for name, values in group.items()}
    rows = [(0, message("first")), (best, message("best")), (len(epochs) - 1, message("last"))]
    return Table(
        message("First, best and last epoch."),
        (message("Epoch"), *(titles[name] for name in columns)),
        tuple(
            (
                message("{which}: {epoch}", which=which, epoch=f"{epochs[row]:g}"),
                *(_at(values, row) for values in columns.values()),
            )
            for row, which in rows
        ),
    )
