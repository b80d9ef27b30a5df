"""The same network, faster: a copy with BatchNorm folded into convolutions, laid out channels last.

The copy is changed in the modules, not in a traced graph, so any author's forward can have one;
whether it still gives the same logits is checked on numbers, never assumed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from fervis.model.passes import Address, Manner, Tap
from fervis.model.trace import Event, Trace

TOLERANCE = 1e-4
"""Largest difference of a logit from the network's own, relative to the largest logit over 1."""

_CONVOLUTIONS = {
    nn.Conv1d: False, nn.Conv2d: False, nn.Conv3d: False,
    nn.ConvTranspose1d: True, nn.ConvTranspose2d: True, nn.ConvTranspose3d: True,
}  # fmt: skip
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class Prepared:
    """A network to run instead of the author's, and how.

    ``changed`` are the values on the way that differ from the author's network: what comes out of
    a convolution that carries its BatchNorm, and what goes into that BatchNorm.
    """

    network: nn.Module
    manner: Manner
    channels_last: bool = False
    changed: frozenset[tuple[Address, bool]] = frozenset()
    dtype: torch.dtype = torch.float32

    @property
    def unskipped(self) -> Prepared:
        """The same, ending as its author wrote it: the final softmax is not skipped."""
        return replace(self, manner=replace(self.manner, bypass=None))

    def laid_out(self, inputs: Tensor) -> Tensor:
        """``inputs`` (N, C, H, W) in the precision and layout that the network is fastest with."""
        inputs = inputs.to(self.dtype)
        if not self.channels_last:
            return inputs
        return inputs.contiguous(memory_format=torch.channels_last)

    def has(self, tap: Tap) -> bool:
        """Whether the value at ``tap`` is the one of the author's network."""
        return (tap.address, tap.before) not in self.changed


def prepare(
    network: nn.Module,
    found: Trace,
    manner: Manner,
    run: Callable[[Prepared], Tensor],
) -> Prepared | None:
    """The fastest copy whose logits agree with the network's; None if none does.

    ``run`` gives the logits (N, K) of a prepared network on some pictures; whatever it raises
    rules a copy out. Networks that flatten with ``.view`` get channels last by copying views.
    """
    expected = run(Prepared(network, manner))

    def fine(candidate: Prepared) -> bool:
        try:
            return agree(run(candidate), expected)
        except Exception:  # what another layout or a copy provokes in an author's code
            return False

    try:
        pairs = _pairs(network, found)
        folded = _folded(network, pairs, manner)
        if not fine(folded):
            # A convolution's output that is used past its BatchNorm, too, cannot be folded.
            pairs = [pair for pair in pairs if fine(_folded(network, [pair], manner))]
            folded = _folded(network, pairs, manner)
            if not fine(folded):
                return None
        last = copy.deepcopy(folded.network)
    except Exception:  # a network may forbid to be copied
        return None
    last.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    candidates = (
        replace(folded, network=last, channels_last=True, manner=each)
        for each in (manner, replace(manner, views_copy=True))
    )
    return next(filter(fine, candidates), folded)


def agree(logits: Tensor, expected: Tensor) -> bool:
    """Whether two sets of logits are equal within TOLERANCE."""
    if logits.shape != expected.shape:
        return False
    size = max(1.0, float(expected.abs().max()))
    # A network whose logits hardly differ between pictures is held to less, down to rounding.
    spread = float((expected - expected.mean(0)).abs().max())
    allowed = max(2e-6 * size, min(TOLERANCE * size, 1e-3 * spread))
    return bool((logits - expected).abs().max() <= allowed)


def _folded(network: nn.Module, pairs: Iterable[tuple[Event, Event]], manner: Manner) -> Prepared:
    result = copy.deepcopy(network)
    for parameter in result.parameters():
        parameter.requires_grad_(False)
    changed: set[tuple[Address, bool]] = set()
    for first, second in pairs:
        conv: Any = result.get_submodule(str(first.address.path))
        norm: Any = result.get_submodule(str(second.address.path))
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps,
            norm.weight, norm.bias, transpose=_CONVOLUTIONS[type(conv)],
        )  # fmt: skip
        conv.requires_grad_(False)
        # On the instance, so that every name the module goes by sees it.
        norm.forward = unchanged
        changed |= {(first.address, False), (second.address, True)}
    return Prepared(result, manner, False, frozenset(changed))


def _pairs(network: nn.Module, found: Trace) -> list[tuple[Event, Event]]:
    """Each BatchNorm whose input is a convolution's output, both called once and unadorned."""
    pairs = []
    for event in found.events:
        if event.kind != "bn" or event.source is None or event.calls != 1:
            continue
        source = found.events[event.source]
        if source.calls != 1 or not source.address.path or not event.address.path:
            continue
        conv = network.get_submodule(source.address.path)
        norm = network.get_submodule(event.address.path)
        usual = type(conv) in _CONVOLUTIONS and type(norm) in _NORMS
        if usual and plain(conv) and plain(norm) and norm.running_mean is not None:
            pairs.append((source, event))
    return pairs


def plain(module: nn.Module) -> bool:
    """Whether a module has no hooks of its author's, which may change its weights."""
    return not (module._forward_hooks or module._forward_pre_hooks)


def unchanged(inputs: Tensor) -> Tensor:
    """A call that does nothing any more."""
    return inputs
