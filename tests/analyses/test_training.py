import re

import numpy as np
import pytest

from fervis.analyses import Context, Subjects, training
from fervis.errors import AnalysisError
from fervis.text import Text
from tests.analyses.conftest import rngs

CONTEXT = Context(classes=(), split="", seed=0)
LOG = {
    "epoch": np.arange(1, 6.0),
    "size": np.full(5, 48.0),
    "train_loss": np.array([2.0, 1.5, 1.2, 1.0, 0.9]),
    "valid_loss": np.array([2.1, 1.6, np.nan, 1.3, 1.4]),
    "valid_accuracy": np.array([0.2, 0.4, np.nan, 0.6, 0.55]),
}


def compute(log):
    subjects = Subjects(np.zeros((0, 1, 1, 1), np.uint8), None, rngs(1), log=log)
    return training.compute(None, subjects, training.Options())[0]


def test_losses_and_accuracies_are_kept_and_drawn_apart():
    result = compute(LOG)
    assert set(result.arrays) == {"epoch", "train_loss", "valid_loss", "valid_accuracy"}
    figure = training.draw(result, training.Options(), CONTEXT)
    assert [panel.key for panel in figure.panels] == ["loss", "accuracy"]
    texts = re.findall(r">([^<]+)</text>", figure.panels[0].svg)
    assert set(figure.panels[0].words) <= set(texts)


def test_the_best_epoch_is_the_one_of_highest_held_out_accuracy():
    figure = training.draw(compute(LOG), training.Options(), CONTEXT)
    assert figure.caption.values["best"] == "4"
    assert [row[0].values["epoch"] for row in figure.tables[0].rows] == ["1", "4", "5"]


def test_without_an_epoch_column_rows_are_counted():
    result = compute({"loss": np.array([2.0, 1.0, 0.5])})
    np.testing.assert_array_equal(result.arrays["epoch"], [1, 2, 3])
    assert training.draw(result, training.Options(), CONTEXT).caption.values["best"] == "3"


def test_a_missing_value_is_a_dash():
    figure = training.draw(
        compute({**LOG, "epoch": np.arange(5.0), "valid_loss": np.array([np.nan, 1, 1, 1, 1.0])}),
        training.Options(),
        CONTEXT,
    )
    assert "–" in figure.tables[0].rows[0]


def test_a_log_without_curves_is_refused_with_its_columns():
    with pytest.raises(AnalysisError, match="epoch, speed"):
        compute({"epoch": np.arange(3.0), "speed": np.arange(3.0)})


def test_columns_are_called_by_what_they_hold_and_by_their_name_where_that_is_not_known():
    figure = training.draw(compute(LOG), training.Options(), CONTEXT)
    header = figure.tables[0].header[1:]
    assert [str(title) for title in header] == [
        "training loss",
        "validation loss",
        "validation accuracy",
    ]
    assert str(figure.caption.values["column"]) == "validation accuracy"
    odd = compute({"loss": np.array([2.0, 1.0]), "val_loss": np.array([2.0, 1.5])})
    first, second = training.draw(odd, training.Options(), CONTEXT).tables[0].header[1:]
    assert first == Text.same("loss")
    assert str(second) == "validation loss"
    twins = compute({"val_loss": np.array([2.0, 1.0]), "valid_nll": np.array([2.0, 1.5])})
    assert training.draw(twins, training.Options(), CONTEXT).tables[0].header[1:] == (
        Text.same("val_loss"),
        Text.same("valid_nll"),
    )


def test_numbers_of_a_column_have_the_same_number_of_digits():
    rows = training.draw(compute(LOG), training.Options(), CONTEXT).tables[0].rows
    assert [row[1] for row in rows] == ["2.00", "1.00", "0.900"]
