"""Gradient ascent: pictures that drive chosen channels of a layer as high as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from fervis.analyses import _tail

if TYPE_CHECKING:
    from torch import Tensor

    from fervis.model.classifier import Classifier

EPSILON = 1e-8
"""Keeps a step finite where the gradient vanishes."""

Slope: TypeAlias = "Callable[[Tensor], Tensor]"
"""pictures (n, C, H, W) → the gradient there of each one's own objective."""


@dataclass(frozen=True)
class Climb:
    """How to go uphill. ``shifts`` holds one (down, right) of every step, or nothing."""

    steps: int
    rate: float
    shifts: Sequence[tuple[int, int]] = ()
    smoothing: float = 0.0
    blur: float = 0.0


def objectives(net: Classifier, layer: str, channels: Tensor, pictures: Tensor) -> Tensor:
    """The mean over space of channel ``channels[i]`` of ``layer`` for picture i: (n,)."""
    return _means(net.forward_to(layer, pictures), channels)


def slope_of(net: Classifier, layer: str, channels: Tensor) -> Slope:
    """Gradients of objectives(), all pictures in one pass that ends at the layer.

    After a ReLU a channel that is zero everywhere has no gradient and would never wake up, so its
    mean before the ReLU is climbed as long as it sleeps.
    """
    import torch

    awakening = net.layer(layer).after_relu

    def slope(pictures: Tensor) -> Tensor:
        pictures = pictures.detach().requires_grad_(True)
        if awakening:
            before = net.forward_to(f"{layer}:input", pictures)
            chosen = _chosen(before, channels)
            alive = (chosen > 0).any(dim=1)
            means = torch.where(alive, chosen.clamp(min=0).mean(dim=1), chosen.mean(dim=1))
        else:
            means = objectives(net, layer, channels, pictures)
        return torch.autograd.grad(means.sum(), pictures)[0]

    return slope


def best_slope(net: Classifier, layer: str, channels: Tensor, start: Tensor) -> Slope:
    """slope_of(), by way of the wanted channels alone where that gives the same gradients."""
    plain = slope_of(net, layer, channels)
    quick = _tail.quick_slope(net, layer, channels, start)
    if quick is None or not _tail.agree(quick(start), plain(start)):
        return plain
    return quick


def ways_up(
    net: Classifier, layer: str, channels: Tensor, start: Tensor
) -> Iterator[tuple[Tensor, Slope, bool]]:
    """(which of ``channels``, their gradients, whether in bfloat16), all channels once.

    A search need not be exact to end as high; but where bfloat16 points elsewhere already at
    ``start`` (n, C, H, W), a filter climbs in float32. Each is judged by itself, so that its
    picture does not depend on the others asked for.
    """
    import torch

    from fervis.model.slopes import ROUGH, alike

    def searching(which: Tensor) -> Slope | None:
        return _tail.quick_slope(net, layer, channels[which], start[which], searching=True)

    every = torch.arange(len(channels), device=channels.device)
    trusted = torch.zeros_like(every, dtype=torch.bool)
    if net.samples_in_bfloat16 and (rough := searching(every)):
        trusted = alike(rough(start), slope_of(net, layer, channels)(start), ROUGH)
    if len(which := every[trusted]):
        yield which, searching(which) or best_slope(net, layer, channels[which], start[which]), True
    if len(which := every[~trusted]):
        yield which, best_slope(net, layer, channels[which], start[which]), False


def ascend(slope: Slope, pictures: Tensor, climb: Climb) -> Tensor:
    """Pictures (n, C, H, W) after climbing: step = rate · g / (rms(g) + ε) (Erhan et al. 2009)."""
    for step in range(climb.steps):
        shift = climb.shifts[step] if climb.shifts else (0, 0)
        gradient = slope(pictures.roll(shift, dims=(2, 3)))
        direction = _unit(gradient.roll((-shift[0], -shift[1]), dims=(2, 3)))
        if climb.smoothing:
            direction = direction - climb.smoothing * _unit(_roughness_slope(pictures))
        pictures = pictures + climb.rate * direction
        if climb.blur:
            pictures = blurred(pictures, climb.blur)
    return pictures


@dataclass(frozen=True)
class Risen:
    """Where n climbs came to: pictures (n, C, H, W), objectives and step sizes (n,).

    ``rough`` (n,) is true where bfloat16 showed the way; objectives are float32's.
    """

    pictures: Tensor
    start: Tensor
    end: Tensor
    rates: Tensor
    rough: Tensor


SHORTER, TRIES = 0.25, 4


def rise(net: Classifier, layer: str, channels: Tensor, start: Tensor, climb: Climb) -> Risen:
    """Climbs from ``start`` (1, C, H, W) for every channel, with shorter steps where it must.

    A filter that prefers silence has its best picture near the start, and full steps leap over
    it: what ends lower than it began climbs again with a quarter of the step, up to four times.
    Filters that rise at once keep the full step.
    """
    import torch

    first = start.expand(len(channels), -1, -1, -1)
    with torch.no_grad():
        low = objectives(net, layer, channels, first)
    pictures, high = first.clone(), low.clone()
    rates, rough = torch.full_like(low, climb.rate), torch.zeros_like(low, dtype=torch.bool)
    left = torch.arange(len(channels), device=channels.device)
    for attempt in range(1 + TRIES):
        rate = climb.rate * SHORTER**attempt
        wanted = channels[left]
        found = torch.empty_like(first[left])
        for which, slope, in_bfloat16 in ways_up(net, layer, wanted, first[left]):
            gone = ascend(slope, first[left][which], replace(climb, rate=rate))
            found[which], rough[left[which]] = gone.detach(), in_bfloat16
        with torch.no_grad():
            ends = objectives(net, layer, wanted, found)
        better = ends > low[left]
        chosen = left[better]
        pictures[chosen], high[chosen], rates[chosen] = found[better], ends[better], rate
        left = left[~better]
        if not len(left):
            break
    return Risen(pictures, low, high, rates, rough)


def _means(values: Tensor, channels: Tensor) -> Tensor:
    return _chosen(values, channels).mean(dim=1)


def _chosen(values: Tensor, channels: Tensor) -> Tensor:
    """The wanted channel of each picture, flat: (n, positions)."""
    import torch

    return values[torch.arange(len(values), device=values.device), channels].reshape(
        len(values), -1
    )


def _unit(gradient: Tensor) -> Tensor:
    size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return gradient / (size + EPSILON)


def _roughness_slope(pictures: Tensor) -> Tensor:
    """Gradient of the total variation Σ|∂x| + |∂y|."""
    slope = pictures.new_zeros(pictures.shape)
    for dim in (2, 3):
        sign = pictures.diff(dim=dim).sign()
        size = sign.shape[dim]
        slope.narrow(dim, 1, size).add_(sign)
        slope.narrow(dim, 0, size).sub_(sign)
    return slope


def blurred(pictures: Tensor, sigma: float) -> Tensor:
    """Pictures (n, C, H, W) under a Gaussian of ``sigma`` pixels, edges repeated."""
    import torch
    from torch.nn import functional as F

    radius = max(1, round(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=pictures.dtype, device=pictures.device)
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (weights / weights.sum()).expand(pictures.shape[1], 1, -1)
    padded = F.pad(pictures, (radius, radius, radius, radius), mode="replicate")
    across = F.conv2d(padded, kernel[:, :, None, :], groups=pictures.shape[1])
    return F.conv2d(across, kernel[:, :, :, None], groups=pictures.shape[1])
