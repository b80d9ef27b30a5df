"""Training logs."""

from __future__ import annotations

import numpy as np
import pytest

from fervis.data.log import read_log
from fervis.errors import DataError
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")


def test_a_log_is_its_columns_in_order(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbfepoch, loss,val_loss\r\n1,0.5,\r\n2,1e-3,nan\r\n\r\n")
    log = read_log(path)
    assert list(log) == ["epoch", "loss", "val_loss"]
    assert log["loss"].tolist() == [0.5, 0.001]
    assert np.isnan(log["val_loss"]).all()


def test_numbers_beyond_all_losses_are_infinite(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n1,1e308\n2,-1e308\n3,1e400\n4,1e99\n")
    log = read_log(tmp_path / "log.csv")
    assert log["loss"].tolist() == [np.inf, -np.inf, np.inf, 1e99]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("epoch,loss\n", "no rows"),
        ("1,2\n3,4\n", "log.csv:1: '1' in the header"),
        ("epoch,epoch\n1,2\n", "'epoch' in the header"),
        ("epoch,\n1,2\n", "'' in the header"),
        ("epoch,loss\n1,2\n2\n", "log.csv:3: 1 columns; expected 2"),
        ("epoch,loss\n1,2\n2,low\n", "log.csv:3: 'low' in column 'loss' is not a number"),
        ("epoch,loss\n1,1_0\n", "'1_0' in column 'loss'"),
        ("epoch\n" + "x\n" * 30, "log.csv: 30 bad rows, the first 10:"),
        ("epoch\n" + "1" * 200_000, "field larger than field limit"),
        ("a," * 10_000, "columns; expected at most"),
    ],
)
def test_what_is_wrong_with_a_log_is_said_with_its_line(tmp_path, text, said):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_log(path)
    assert said in str(caught.value)


def test_a_log_of_another_encoding_or_size_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("epoch,loss\n".encode("utf-16"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_log(path)
    path.write_bytes(b"epoch\n" + b"1\n" * 5_000_000)
    with pytest.raises(DataError, match="no training log"):
        read_log(path)
    with pytest.raises(DataError, match="no such file"):
        read_log(tmp_path / "none.csv")
