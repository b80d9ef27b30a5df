"""What the first layers of a network make of mosaics, once for each local pattern of parts.

A value of an early layer sees a few pixels, hence a few parts, and of a thousand mosaics only some
tens differ there. So at each place of a layer every pattern that occurs is computed once, and a
mosaic's layer is put together from them. The numbers are those of the network up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fervis.model.mosaics import Mosaics

MOST_PARTS = 12
"""Patterns are numbered by the parts seen; places that see more have too many to number them."""

WORTHWHILE = 0.5
"""Share of all values of a layer up to which it pays to compute only those that differ."""

_NUMBERED = 1 << 23  # patterns of a layer that are told apart, whether they occur or not
_SEEN = 1 << 22  # pixels times parts, up to which one can say which sees which
_GATHERED = 1 << 21  # numbers gathered at once, so that they stay near the processor

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Window:
    """Which places of a layer one of the next sees: (height, width) each; ``outside`` pads."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)
    outside: float = 0.0

    def places(self, size: tuple[int, int]) -> tuple[Integers, tuple[int, int]]:
        """(new places, kernel places) numbers of places in a layer of ``size``, and the new size.

        A place outside has the number height × width.
        """
        axes = [
            np.arange((size[i] + 2 * self.padding[i] - self._extent(i)) // self.stride[i] + 1)[
                :, None
            ]
            * self.stride[i]
            - self.padding[i]
            + np.arange(self.kernel[i]) * self.dilation[i]
            for i in range(2)
        ]
        down, right = axes[0][:, None, :, None], axes[1][None, :, None, :]
        inside = (down >= 0) & (down < size[0]) & (right >= 0) & (right < size[1])
        numbers = np.where(inside, down * size[1] + right, size[0] * size[1])
        new = (len(axes[0]), len(axes[1]))
        return numbers.reshape(math.prod(new), -1), new

    def _extent(self, i: int) -> int:
        return self.dilation[i] * (self.kernel[i] - 1) + 1


@dataclass(frozen=True)
class Step:
    """A call on the way from the pixels.

    ``apply`` makes (n, C') of what the window sees, (n, kernel places, C); without a window it is
    a function of each value by itself.
    """

    apply: Callable[[Tensor], Tensor]
    window: Window | None = None


HANDED_ON = Step(lambda values: values)
"""A call that gives what it gets, such as dropout."""


@dataclass(frozen=True)
class Patterns:
    """A layer of N mosaics: ``values`` (E, C) that occur, and which is where: ``entry`` (N, Q).

    ``sees`` (Q, K) tells which parts reach a place; ``size`` is (height, width), Q in all.
    """

    values: Tensor
    entry: Integers
    sees: NDArray[np.bool_]
    size: tuple[int, int]

    def after(self, step: Step, masks: NDArray[np.float32]) -> Patterns | None:
        """The next layer; None where that does not pay. masks (N, K)."""
        if step.window is None:
            return Patterns(step.apply(self.values), self.entry, self.sees, self.size)
        places, size = step.window.places(self.size)
        if not len(places):
            return None
        sees = np.any(np.concatenate([self.sees, np.zeros_like(self.sees[:1])])[places], axis=1)
        seen = sees.sum(axis=1)
        if seen.max() > MOST_PARTS or (1 << seen).sum() > _NUMBERED:
            return None
        # Every pattern of a place has a number: one bit for each part that is seen there.
        bits = np.where(sees, 2.0 ** (np.cumsum(sees, axis=1) - 1), 0).astype(np.float32)
        first = np.concatenate([[0], np.cumsum(1 << seen)])
        pattern = (masks @ bits.T).astype(np.int32)
        pattern += first[:-1].astype(np.int32)
        occurs = np.zeros(first[-1], bool)
        occurs[pattern] = True
        count = np.count_nonzero(occurs)
        if count > WORTHWHILE * pattern.size:
            return None
        entry = np.take(np.cumsum(occurs, dtype=np.int32) - 1, pattern)
        example = np.empty(count, np.int32)  # a mosaic in which the value occurs
        example[entry] = np.arange(len(masks), dtype=np.int32)[:, None]
        place = np.repeat(np.arange(len(seen)), 1 << seen)[occurs]
        known = np.concatenate([self.entry, np.full_like(self.entry[:, :1], len(self.values))], 1)
        needed = torch.from_numpy(known[example[:, None], places[place]])
        outside = self.values.new_full((1, self.values.shape[1]), step.window.outside)
        values = torch.cat([self.values, outside])
        rows = max(1, _GATHERED // (needed.shape[1] * values.shape[1]))
        parts = [step.apply(F.embedding(part, values)) for part in torch.split(needed, rows)]
        return Patterns(torch.cat(parts), entry, sees, size)

    def layer(self, start: int, stop: int) -> Tensor:
        """The layer (n, C, height, width) of some mosaics, channels last in memory."""
        found = F.embedding(torch.from_numpy(self.entry[start:stop]), self.values)
        return found.reshape(len(found), *self.size, -1).permute(0, 3, 1, 2)


def pixels_of(mosaics: Mosaics, shown: Tensor, hidden: Tensor) -> Patterns | None:
    """The mosaics themselves, from the network's inputs (C, H, W) for either picture.

    None where pictures and parts are too many for this.
    """
    height, width = mosaics.parts.shape
    if height * width * mosaics.masks.shape[1] > _SEEN:
        return None
    flat = mosaics.parts.ravel()
    values = torch.cat([hidden.flatten(1), shown.flatten(1)], 1).T.contiguous()
    entry = np.where(mosaics.masks[:, flat], np.int32(flat.size), np.int32(0))
    entry += np.arange(flat.size, dtype=np.int32)
    sees = np.eye(mosaics.masks.shape[1], dtype=bool)[flat]
    return Patterns(values, entry, sees, (height, width))


def convolution(
    weight: Tensor, bias: Tensor | None, window: Window, dtype: torch.dtype = torch.float32
) -> Step:
    """A convolution of one group, as one over the places that the window sees, in ``dtype``.

    As a convolution of 1×1, because oneDNN is faster at it than at the matrix product that it is.
    """
    matrix = weight.permute(0, 2, 3, 1).flatten(1)[:, :, None, None].to(dtype)
    bias = None if bias is None else bias.to(dtype)

    def apply(seen: Tensor) -> Tensor:
        row = seen.to(dtype).flatten(1)[None, None].permute(0, 3, 1, 2)
        return F.conv2d(row, matrix, bias)[0, :, 0].T

    return Step(apply, window)


def elementwise(module: Callable[[Tensor], Tensor]) -> Step:
    """A call that treats all places alike."""

    def apply(values: Tensor) -> Tensor:
        found = module(values[:, :, None, None].float())
        return found.flatten(1).to(values.dtype)

    return Step(apply)


def pooling(how: str, window: Window) -> Step:
    """``how`` "max" or "avg" (zeros outside counted)."""
    outside = -math.inf if how == "max" else 0.0
    reduce: Any = torch.amax if how == "max" else torch.mean

    def apply(seen: Tensor) -> Tensor:
        found: Tensor = reduce(seen, dim=1)
        return found

    return Step(
        apply, Window(window.kernel, window.stride, window.padding, window.dilation, outside)
    )
