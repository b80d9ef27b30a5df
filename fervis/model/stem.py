"""The stem: a network's first calls, one after the other, which mosaics need not repeat.

What comes after it runs in a copy of the network whose stem hands its input on, so any author's
forward can have one; whether it still gives the same logits is checked on numbers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fervis.model import patterns
from fervis.model.fast import NARROW, Fast, handing_on
from fervis.model.fold import Prepared, plain, unchanged
from fervis.model.functions import ACTIVATIONS
from fervis.model.patterns import Patterns, Step, Window
from fervis.model.trace import Event, Trace

FEWEST = 64
"""Mosaics below which patterns do not pay."""

_AT_ONCE = 1 << 22  # mosaics times pixels whose patterns are told apart together
_COST = 50  # operations of a convolution that take as long as fetching one number
_IDLE = ("drop", "identity")
_POINTWISE = ACTIVATIONS - {"softmax", "log_softmax", "softmin", "glu"}
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu, "relu6": F.relu6, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "gelu": F.gelu, "silu": F.silu,
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call of the stem.

    ``saved`` counts its operations for one picture. ``last``: what it makes is used further on as
    well, so that the stem may not go beyond.
    """

    event: Event
    step: Step
    saved: int
    last: bool


def stem_of(folded: Prepared, found: Trace, dtype: torch.dtype) -> tuple[Call, ...]:
    """The calls from the input on that follow from one another and can be done by patterns.

    ``dtype`` is the precision of convolutions that see more than pixels.
    """
    calls: list[Call] = []
    before: int | None = None
    for number, event in enumerate(found.events):
        if event.same_as is not None:
            continue  # a block that hands on what its last call made
        if event.source != before or len(event.shape) != 3 or not event.per_image:
            break
        step = _step(event, folded, dtype)
        if step is None:
            break
        later = found.events[number + 1 :]
        used = [each for each in later if each.source == number and each.same_as is None]
        saved = 2 * event.parameters * math.prod(event.shape[1:]) if event.kind == "conv" else 0
        calls.append(Call(event, step, saved, len(used) != 1))
        before = number
    return tuple(calls)


def _step(event: Event, folded: Prepared, dtype: torch.dtype) -> Step | None:
    """How patterns do a call; None for one that they do not cover."""
    path = event.address.path
    module: Any = folded.network.get_submodule(path) if path else None
    if module is not None and not plain(module):
        return None
    if event.kind in _IDLE or (event.kind == "bn" and (event.address, True) in folded.changed):
        return patterns.HANDED_ON
    if event.kind == "conv" and event.calls == 1 and type(module) is nn.Conv2d:
        if module.groups == 1 and module.padding_mode == "zeros" and module.padding != "same":
            window = Window(
                _pair(module.kernel_size), _pair(module.stride),
                _pair(0 if module.padding == "valid" else module.padding), _pair(module.dilation),
            )  # fmt: skip
            bias = None if module.bias is None else module.bias.detach()
            own = torch.float32 if module.in_channels <= NARROW else dtype
            return patterns.convolution(module.weight.detach(), bias, window, own)
    elif event.kind == "pool":
        return _pool(event, module)
    elif event.kind in _POINTWISE or (event.kind == "bn" and event.calls == 1):
        function = module or _FUNCTIONS.get(event.kind)
        if function is not None:
            return patterns.elementwise(function)
    return None


def _pool(event: Event, module: Any) -> Step | None:
    how = "max" if "max" in event.type.lower() else "avg"
    if type(module) in (nn.MaxPool2d, nn.AvgPool2d):
        odd = (getattr(module, "return_indices", False), module.ceil_mode,
               not getattr(module, "count_include_pad", True),
               getattr(module, "divisor_override", None))  # fmt: skip
        if any(odd):
            return None
        window = Window(
            _pair(module.kernel_size), _pair(module.stride), _pair(module.padding),
            _pair(getattr(module, "dilation", 1)),
        )  # fmt: skip
        return patterns.pooling(how, window)
    if event.type not in ("max_pool2d()", "avg_pool2d()"):
        return None
    # Its arguments are not known; nearly always it halves. If not, the numbers will tell.
    sizes = [
        given // made for given, made in zip(event.input_shape[1:], event.shape[1:], strict=True)
    ]
    return patterns.pooling(how, Window(_pair(sizes), _pair(sizes), (0, 0)))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def follow(calls: tuple[Call, ...], layer: Patterns, masks: Any) -> list[tuple[Patterns, int]]:
    """The layers that the stem comes to while patterns pay, the last first, each with how many
    calls lead there.

    Those that save less than fetching their numbers costs are left out. ``layer`` are the mosaics'
    pixels, ``masks`` (N, K) theirs.
    """
    found: list[tuple[Patterns, int]] = []
    saved, floats = 0, masks.astype("float32")
    for number, call in enumerate(calls, 1):
        following = layer.after(call.step, floats)
        if following is None:
            break
        layer, saved = following, saved + call.saved
        if saved > _COST * math.prod(call.event.shape):
            found.insert(0, (layer, number))
        if call.last:
            break
    return found


def without_stem(path: Fast, calls: tuple[Call, ...]) -> Fast:
    """A copy of ``path`` that takes what the ``calls`` make for its input."""
    network = copy.deepcopy(path.prepared.network)
    for call in calls:
        if call.event.kind in ("conv", "bn"):  # neither takes another number of channels
            module: Any = network.get_submodule(str(call.event.address.path))
            module.forward = handing_on if call.event.kind == "conv" else unchanged
    passed = frozenset(
        call.event.address for call in calls if call.event.kind not in ("conv", "bn")
    )
    manner = replace(path.prepared.manner, passed=passed)
    prepared = replace(path.prepared, network=network, manner=manner, dtype=path.dtype)
    return replace(path, prepared=prepared)


def portions(count: int, pixels: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of mosaics whose patterns are told apart together, in equal portions."""
    parts = -(-count * pixels // _AT_ONCE)
    size = -(-count // max(1, parts))
    for start in range(0, count, size):
        yield start, min(count, start + size)
