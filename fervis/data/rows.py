"""Pixels written as text, ``70 80 82 …``, read by arithmetic on whole blocks of bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fervis.data.faults import excerpt

_ZERO, _BLANK = np.uint8(ord("0")), np.uint8(ord(" "))
_PAD = b"   "  # no number looks back beyond the beginning


def decode(fields: Sequence[bytes], count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """``count`` numbers 0…255 from each of n fields of digits and blanks.

    Returns (values (n, count) uint8, good (n,) bool); values are all zero where one field is not
    good, since nothing of a block with a fault is used.
    """
    text = np.frombuffer(_PAD + b" ".join(fields) + b" ", np.uint8)
    bounds = len(_PAD) + np.cumsum([0, *(len(field) + 1 for field in fields)])
    digits = text - _ZERO  # wraps round below "0", so that one comparison finds the digits
    is_digit = digits < 10
    ends = np.flatnonzero(is_digit[:-1] > is_digit[1:])
    values, fits = _numbers(digits, ends)
    good = np.diff(np.searchsorted(ends, bounds)) == count
    _blame(good, bounds, ends[~fits])
    strange = ~is_digit
    strange &= text != _BLANK
    if strange.any():
        _blame(good, bounds, np.flatnonzero(strange))
    if not good.all():
        return np.zeros((len(fields), count), np.uint8), good
    return values.astype(np.uint8).reshape(len(fields), count), good


def _numbers(
    digits: NDArray[np.uint8], ends: NDArray[np.intp]
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The numbers whose last digits are at ``ends``, and whether each is at most 255."""
    ones, tens, hundreds = digits[ends], digits[ends - 1], digits[ends - 2]
    has_tens = tens < 10
    has_hundreds = has_tens & (hundreds < 10)
    tens *= has_tens
    hundreds *= has_hundreds
    values = hundreds * np.uint16(100)
    values += tens * np.uint8(10) + ones
    fits = values <= 255
    longest = np.flatnonzero(has_hundreds)
    fits[longest[digits[ends[longest] - 3] < 10]] = False
    return values, fits


def _blame(good: NDArray[np.bool_], bounds: NDArray[np.intp], places: NDArray[np.intp]) -> None:
    """Marks the fields that bytes at ``places`` belong to."""
    good[np.searchsorted(bounds, places, side="right") - 1] = False


def explain(field: bytes, count: int, expected: str) -> str:
    """What is wrong with a field that is not good."""
    tokens = field.split()
    for token in tokens:
        if not token.isdigit():
            if token.removeprefix(b"-").isdigit():
                return f"value {excerpt(token)} is outside 0…255"
            return f"{excerpt(token)} is not a whole number from 0 to 255"
        if len(token) > 3 or int(token) > 255:
            return f"value {excerpt(token)} is outside 0…255"
    if len(tokens) != count:
        return f"{len(tokens)} pixels; expected {expected}"
    return "blanks other than spaces between the pixels"
