"""Gradients by the input, faster: a convolution and its ReLU in one call, there and back.

Weights need no gradients here, so the way back has one product a convolution. A first convolution
of one or three channels is the exception that oneDNN is slow at: there a matrix product and a sum
of shifted pictures do.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from fervis.model import fast
from fervis.model.fold import Prepared
from fervis.model.functions import count_one
from fervis.model.passes import Address
from fervis.model.trace import Trace

TOLERANCE = 1e-3
"""How far gradients may be from those of the author's network, relative to their length."""

ROUGH = 0.25
"""The same for bfloat16, with which one only searches: such a gradient still points uphill."""


@dataclass(frozen=True)
class _Convolution:
    """``packed`` is ``weight`` as oneDNN wants it; the next are a convolution's own settings.

    The way back, and what comes out, have the precision of ``weight``; the way there that of
    ``packed``, which is float32 where a convolution sees pixels (see ``fast.packed``).

    ``relu``: one follows; ``overwritten``: in place, so that the output may change afterwards.
    """

    weight: Tensor
    packed: Tensor
    bias: Tensor | None
    padding: list[int]
    stride: list[int]
    dilation: list[int]
    groups: int
    relu: bool
    overwritten: bool

    def __call__(self, inputs: Tensor) -> Tensor:
        count_one()
        if not (torch.is_grad_enabled() and inputs.requires_grad):
            return self.forth(inputs)
        result: Tensor = _BothWays.apply(inputs, self)  # type: ignore[no-untyped-call] # as torch has it
        return result

    def forth(self, inputs: Tensor) -> Tensor:
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            inputs, self.packed, self.bias, self.padding, self.stride, self.dilation, self.groups,
            "relu" if self.relu else "none", [], "",
        )  # fmt: skip
        return result.to(self.weight.dtype)

    def back(self, slope: Tensor, shape: torch.Size) -> Tensor:
        """Gradient by inputs of that (N, C, H, W) from the one by what comes out."""
        slope = slope.contiguous(memory_format=torch.channels_last)
        if self.groups == 1 and shape[1] <= fast.NARROW:
            taps = slope.permute(0, 2, 3, 1).flatten(1, 2) @ self.weight.flatten(1)
            return F.fold(
                taps.transpose(1, 2), shape[2:], self.weight.shape[2:],
                tuple(self.dilation), tuple(self.padding), tuple(self.stride),
            )  # fmt: skip
        inputs = torch.empty(
            shape, dtype=slope.dtype, device=slope.device, memory_format=torch.channels_last
        )
        found: Tensor = torch.ops.aten.convolution_backward(
            slope, inputs, self.weight, None, self.stride, self.padding, self.dilation,
            False, [0, 0], self.groups, [True, False, False],
        )[0]  # fmt: skip
        return found


class _BothWays(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, convolution: _Convolution) -> Tensor:
        ctx.convolution, ctx.shape = convolution, inputs.shape
        outputs = convolution.forth(inputs)
        if convolution.relu:
            ctx.save_for_backward(outputs > 0 if convolution.overwritten else outputs)
        ctx.dtype = inputs.dtype
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Any:
        if ctx.convolution.relu:
            (kept,) = ctx.saved_tensors
            masked = kept.dtype == torch.bool
            slope = slope * kept if masked else torch.ops.aten.threshold_backward(slope, kept, 0)
        return ctx.convolution.back(slope, ctx.shape).to(ctx.dtype), None


def differentiable(
    folded: Prepared, found: Trace, dtype: torch.dtype, batch: int
) -> Prepared | None:
    """A copy of ``folded`` for gradients by its inputs in ``dtype``; None where oneDNN is not.

    Whether it gives the same numbers is for the caller to check. ``batch``: pictures at a time.
    """
    network = copy.deepcopy(folded.network).to(dtype)
    if not folded.channels_last or not fast.has_onednn(network, dtype):
        return None
    changed: set[tuple[Address, bool]] = set(folded.changed)
    for event, relu in fast.packable(network, found, folded):
        conv: Any = network.get_submodule(str(event.address.path))
        how = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        weight = conv.weight.detach()
        if conv.in_channels <= fast.NARROW:
            conv.float()
        conv.forward = _Convolution(
            weight,
            fast.reordered(conv, [batch, *event.input_shape]),
            None if conv.bias is None else conv.bias.detach(),
            *how,
            relu is not None,
            relu is not None and relu.inplace,
        )
        if relu is None:
            continue
        changed |= {(event.address, False), (relu.address, True)}
        if relu.source is not None:
            changed.add((found.events[relu.source].address, False))
        fast.silence(network, relu)
    return replace(folded, network=network, changed=frozenset(changed))


def alike(slopes: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """Whether each of two batches' gradients (N, …) are the same up to rounding: (N,) booleans."""
    gap = (slopes - expected).flatten(1).norm(dim=1)
    close: Tensor = gap <= tolerance * expected.flatten(1).norm(dim=1)
    return close
