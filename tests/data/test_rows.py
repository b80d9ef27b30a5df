"""Properties of the CSV readers: any bytes are data or a DataError, and right ones are read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fervis.data import rows
from fervis.data.formats import fer2013
from fervis.data.log import read_log
from fervis.errors import DataError
from tests.data.make import Opener
from tests.times import TIMES

HEADERS = [
    b"emotion,pixels,Usage\n",
    b"emotion, Usage, pixels\n",
    b"label,feature\n",
    b"id,feature\n",
    b"",
]
PIECES = st.sampled_from(
    [
        b"0",
        b"7",
        b"255",
        b"256",
        b"-1",
        b" ",
        b",",
        b"\n",
        b"\r\n",
        b'"',
        b"\0",
        b"\xff",
        b"Training",
        b"1 2 3 4",
        b"3,1 2 3 4\n",
        b"\t",
        b"1,9 8 7 6,PublicTest\n",
        b"\x1f\x8b",
    ]
)
CSV = st.builds(
    lambda header, body: header + body,
    st.sampled_from(HEADERS),
    st.lists(PIECES, max_size=30).map(b"".join) | st.binary(max_size=200),
)


@settings(max_examples=100 * TIMES, deadline=None)
@given(CSV)
def test_any_bytes_are_a_data_set_or_a_data_error(data):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(fer2013, "SIDE", 2)
        patch.setattr(fer2013, "PIXELS", 4)
        (Path(folder) / "fer.csv").write_bytes(data)
        try:
            dataset = Opener(Path(folder))("fer2013", "fer.csv", size=(2, 2))
        except DataError as error:
            said = str(error)
        else:
            said = ""
    if said:
        assert all(line.isprintable() for line in said.splitlines())
    else:
        assert dataset.images.shape == (len(dataset), 2, 2, 1)
        assert len(dataset) > 0
        if dataset.labels is not None:
            assert set(dataset.labels.tolist()) <= set(range(7))


@settings(max_examples=150 * TIMES, deadline=None)
@given(st.lists(st.binary(max_size=20).filter(lambda field: b"\n" not in field), max_size=6))
def test_pixels_are_good_exactly_where_a_slow_reader_says_so(fields):
    values, good = rows.decode(fields, 4)
    slow = [_slow(field) for field in fields]
    assert good.tolist() == [numbers is not None for numbers in slow]
    if all(good):
        assert values.tolist() == slow


@given(st.lists(st.lists(st.integers(0, 255), min_size=4, max_size=4), min_size=1, max_size=9))
def test_pixels_survive_writing_and_reading(numbers):
    values, good = rows.decode([" ".join(map(str, row)).encode() for row in numbers], 4)
    assert good.all()
    assert values.tolist() == numbers


def _slow(field: bytes) -> list[int] | None:
    tokens = [token for token in field.split(b" ") if token]
    if len(tokens) != 4 or not all(t.isdigit() and len(t) <= 3 and int(t) < 256 for t in tokens):
        return None
    return [int(token) for token in tokens]


@settings(max_examples=150 * TIMES, deadline=None)
@given(
    st.binary(max_size=100)
    | st.lists(
        st.sampled_from(["epoch", "loss", ",", "\n", "1", "2.5", "nan", '"', " ", "1e999", "x"])
    ).map(lambda pieces: "".join(pieces).encode())
)
def test_any_log_is_columns_of_one_length_or_a_data_error(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(data)
        try:
            columns = read_log(path)
        except DataError:
            return
    assert len({len(numbers) for numbers in columns.values()}) == 1
    assert all(numbers.dtype == np.float64 for numbers in columns.values())
