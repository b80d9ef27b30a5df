"""The last steps to a layer for the wanted channels only: a convolution, batch norm, a ReLU.

Gradient ascent asks one channel of each picture, and a convolution computes them all. Its input's
gradient can be had for the one channel: without a ReLU it does not depend on the picture at all.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fervis.analyses._ascent import Slope
    from fervis.model.classifier import Classifier
    from fervis.model.layers import Layer

TOLERANCE = 1e-3
"""How far the short way may be from the plain one, relative to the largest gradient."""


@dataclass(frozen=True)
class _Tail:
    """conv → (batch norm) → (ReLU), narrowed to one channel a picture.

    ``entry`` names the convolution's input; weight (n, C, kh, kw), scale and shift (n,) are those
    of each picture's channel, batch norm and bias folded in.
    """

    entry: str
    weight: Tensor
    scale: Tensor
    shift: Tensor
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    relu: bool

    def values(self, entered: Tensor) -> Tensor:
        """What the channel of each picture is before the ReLU: entered (n, C, H, W) → (n, h, w).

        One product over the channels for each place in the kernel, then shifted sums.
        """
        import torch
        from torch.nn import functional as F

        rows, columns = self.weight.shape[2:]
        height, width = self._size(entered)
        taps = self.weight.flatten(2).transpose(1, 2)
        products = torch.bmm(taps, entered.flatten(2)).reshape(len(entered), -1, *entered.shape[2:])
        products = F.pad(products, (self.padding[1],) * 2 + (self.padding[0],) * 2)
        total = products.new_zeros(len(products), height, width)
        for place in range(rows * columns):
            top, left = place // columns * self.dilation[0], place % columns * self.dilation[1]
            total = (
                total
                + products[
                    :,
                    place,
                    top : top + self.stride[0] * (height - 1) + 1 : self.stride[0],
                    left : left + self.stride[1] * (width - 1) + 1 : self.stride[1],
                ]
            )
        return total * self.scale[:, None, None] + self.shift[:, None, None]

    def slope(self, entered: Tensor) -> Tensor:
        """Gradient of each channel's mean, or of what it was asleep, by ``entered``."""
        import torch

        entered = entered.detach().requires_grad_(True)
        values = self.values(entered.float()).flatten(1)
        means = values.mean(dim=1)
        if self.relu:
            awake = (values > 0).any(dim=1)
            means = torch.where(awake, values.clamp(min=0).mean(dim=1), means)
        return _as_laid_out(torch.autograd.grad(means.sum(), entered)[0], entered)

    def _size(self, entered: Tensor) -> tuple[int, int]:
        height, width = (
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for size, padding, dilation, kernel, stride in zip(
                entered.shape[2:],
                self.padding,
                self.dilation,
                self.weight.shape[2:],
                self.stride,
                strict=True,
            )
        )
        return height, width


def quick_slope(
    net: Classifier, layer: str, channels: Tensor, start: Tensor, *, searching: bool = False
) -> Slope | None:
    """The gradients of _ascent.slope_of() by the short way, or None if ``layer`` has none.

    start (n, C, H, W) tells what flows where. The caller compares both ways before it trusts this.
    ``searching`` allows bfloat16, see Classifier.forward_to().
    """
    import torch

    if layer.endswith(":input"):
        return None
    chain = _chain(net, net.layer(layer), start)
    tail = None if chain is None else _tail(net, chain, channels)
    if tail is None:
        return None
    with torch.no_grad():
        entered = net.forward_to(tail.entry, start, searching=searching)
    constant = None if tail.relu else tail.slope(entered)

    def slope(pictures: Tensor) -> Tensor:
        pictures = pictures.detach().requires_grad_(True)
        entered = net.forward_to(tail.entry, pictures, searching=searching)
        weights = tail.slope(entered) if constant is None else constant
        return torch.autograd.grad(towards(entered, weights), pictures)[0]

    return slope


def towards(values: Tensor, slope: Tensor) -> Tensor:
    """A number whose gradient by ``values`` is ``slope``; the number itself means nothing.

    torch.autograd.grad takes a slope, too, but imports SymPy for it: a second, once.
    """
    number: Tensor = _towards().apply(values, slope)
    return number


@functools.cache
def _towards() -> Any:
    """One class for all: a class is in a circle of references, and would keep its slope alive."""
    import torch

    class Towards(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, values: Tensor, slope: Tensor) -> Tensor:
            ctx.slope = slope
            return values.new_zeros(())

        @staticmethod
        def backward(ctx: Any, _one: Tensor) -> Any:
            return ctx.slope, None

    return Towards


def _as_laid_out(values: Tensor, other: Tensor) -> Tensor:
    """``values`` with the dimensions in memory as in ``other``, or the way back would copy."""
    import torch

    last = torch.channels_last
    return (
        values.contiguous(memory_format=last) if other.is_contiguous(memory_format=last) else values
    )


def agree(one: Tensor, other: Tensor) -> bool:
    """Whether two gradients are equal up to rounding."""
    return bool((one - other).abs().max() <= TOLERANCE * other.abs().max())


def _chain(net: Classifier, layer: Layer, start: Tensor) -> list[Layer] | None:
    """The layers from a convolution to ``layer``, each fed by nothing but the one before it."""
    import torch

    chain = [layer]
    ordered = sorted({known.order: known for known in net.layers.values()}.items())
    for kind in ("relu", "bn"):
        if chain[0].kind != kind:
            continue
        before = [known for order, known in ordered if order < chain[0].order]
        if not before:
            return None
        with torch.no_grad():
            needed = net.forward_to(f"{chain[0].name}:input", start[:1])
            found = net.forward_to(before[-1].name, start[:1])
        if needed.shape != found.shape or not torch.equal(needed, found):
            return None
        chain.insert(0, before[-1])
    return chain if chain[0].kind == "conv" else None


def _tail(net: Classifier, chain: list[Layer], channels: Tensor) -> _Tail | None:
    from torch import nn

    conv = net.module(chain[0].name)
    if (
        type(conv) is not nn.Conv2d
        or conv.groups != 1
        or conv.padding_mode != "zeros"
        or isinstance(conv.padding, str)
    ):
        return None
    weight = conv.weight.detach()[channels]
    scale, shift = weight.new_ones(len(weight)), weight.new_zeros(len(weight))
    if conv.bias is not None:
        shift = conv.bias.detach()[channels]
    if len(chain) > 1 and chain[1].kind == "bn":
        folded = _folded(net.module(chain[1].name), channels)
        if folded is None:
            return None
        scale, offset = folded
        shift = shift * scale + offset
    return _Tail(
        f"{chain[0].name}:input",
        weight,
        scale,
        shift,
        _pair(conv.stride),
        _pair(conv.padding),
        _pair(conv.dilation),
        chain[-1].kind == "relu",
    )


def _folded(norm: nn.Module | None, channels: Tensor) -> tuple[Tensor, Tensor] | None:
    """Batch norm with fixed statistics as a factor and an offset of each channel."""
    from torch import nn

    if type(norm) is not nn.BatchNorm2d or norm.running_mean is None or norm.running_var is None:
        return None
    factor = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        factor = factor * norm.weight.detach()
    offset = -norm.running_mean * factor
    if norm.bias is not None:
        offset = offset + norm.bias.detach()
    return factor[channels], offset[channels]


def _pair(value: tuple[int, ...]) -> tuple[int, int]:
    return value[0], value[1]
