"""Which calls of torch functions count as layers, and what people call them.

``F.relu(x)`` or ``x.mean((2, 3))`` in a forward pass is invisible to module hooks; a
TorchFunctionMode sees it. Every counted call has a number, from 0, in the order of the pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

RELUS = frozenset({"relu", "relu6"})
"""Kinds whose output is never negative and whose gradient is 0 where it is 0."""

ACTIVATIONS = RELUS | {
    "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish",
    "hardsigmoid", "hardtanh", "sigmoid", "log_sigmoid", "tanh", "softplus", "softsign", "glu",
    "softmax", "log_softmax", "softmin", "threshold",
}  # fmt: skip

_POOLS = frozenset(
    f"{how}{which}_pool{d}d"
    for how in ("", "adaptive_", "fractional_")
    for which in ("max", "avg", "lp")
    for d in (1, 2, 3)
)
_CONVOLUTIONS = frozenset(f"conv{how}{d}d" for how in ("", "_transpose") for d in (1, 2, 3))

DROPOUTS = frozenset(
    {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
     "feature_alpha_dropout"}
)  # fmt: skip

_NOTHING = torch.empty(0)

Function = Callable[..., Any]


def kind_of(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """The kind of layer that a call is, or None if it is none."""
    name = getattr(function, "__name__", "").rstrip("_")
    if name in ACTIVATIONS:
        return name
    if name in _POOLS:
        return "pool"
    if name in _CONVOLUTIONS:
        return "conv"
    if name == "linear":
        return "fc"
    if name == "scaled_dot_product_attention":
        return "attn"
    if name in ("mean", "amax") and _over_space(args, kwargs):
        return "pool"
    if name in ("clamp", "clamp_min", "clip") and _from_zero(args, kwargs):
        return "relu"
    return None


def _over_space(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    dims = args[1] if len(args) > 1 else kwargs.get("dim")
    if not (isinstance(args[0], Tensor) and args[0].ndim == 4 and isinstance(dims, list | tuple)):
        return False
    return sorted(dim % 4 for dim in dims) == [2, 3]


def _from_zero(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    low = args[1] if len(args) > 1 else kwargs.get("min")
    high = args[2] if len(args) > 2 else kwargs.get("max")
    return isinstance(low, int | float) and low == 0 and high is None


def without_dropout(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments of a dropout call that drops nothing; None where it drops nothing as it is.

    ``F.dropout(x)`` drops in eval mode as well, because its ``training`` is True by default.
    """
    name = name.rstrip("_")
    if name == "scaled_dot_product_attention":
        if len(args) > 4 and args[4]:
            return (*args[:4], 0.0, *args[5:]), kwargs
        return (args, {**kwargs, "dropout_p": 0.0}) if kwargs.get("dropout_p") else None
    if name not in DROPOUTS:
        return None
    training = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
    if not training:
        return None
    if len(args) > 2:
        return (*args[:2], False, *args[3:]), kwargs
    key = "train" if "train" in kwargs else "training"
    return args, {**kwargs, key: False}


def count_one() -> None:
    """Counts as a call, for a module that now does without the function it called."""
    F.relu(_NOTHING)
