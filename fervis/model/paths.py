"""The two paths of a classifier: gradients, and forward passes only; each checked, then trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from fervis.model import fast, patterns, slopes, stem
from fervis.model.fast import Fast
from fervis.model.fold import Prepared, agree, prepare
from fervis.model.mosaics import Mosaics
from fervis.model.passes import Manner, Tap
from fervis.model.trace import Trace

Precision = Literal["auto", "float32"]

Logits = Callable[[Prepared, Tensor], Tensor]
"""Runs a prepared network on inputs (N, C, H, W): logits (N, K)."""

NOT_PREPARED = (
    "the network cannot be prepared for speed (copied, BatchNorm folded) with equal results; it "
    "runs as it is"
)


class Paths:
    """The author's network, and copies that give the same numbers faster.

    ``probes`` are inputs on which a copy must agree with the network before it is used. bfloat16
    is used for sampling only, and only after it agreed on a sample of the pictures themselves.
    A network that is changed afterwards (other weights, hooks, modules) runs itself.
    """

    def __init__(
        self,
        network: nn.Module,
        found: Trace,
        manner: Manner,
        probes: Tensor,
        logits: Logits,
        precision: Precision,
    ) -> None:
        self._found, self._probes, self._logits = found, probes, logits
        self.own = Prepared(network, manner)
        prepared = prepare(network, found, manner, lambda copy: logits(copy, copy.laid_out(probes)))
        self._prepared, self._copied = prepared or self.own, _signature(network)
        self.warnings = () if prepared else (NOT_PREPARED,)
        self.batch = fast.best_batch(found, probes.device)
        self.bfloat16 = precision == "auto" and fast.has_bfloat16(probes.device)
        self._forward: Fast | None = None
        self._sampling: Fast | None = None
        self._slopes: dict[torch.dtype, Prepared | None] = {}
        self._stems: dict[torch.dtype, tuple[stem.Call, ...]] = {}
        self._after_stem: dict[tuple[int, torch.dtype], Fast | None] = {}

    @property
    def gradients(self) -> Prepared:
        """What to use where values are differentiated."""
        return self._prepared if _signature(self.own.network) == self._copied else self.own

    def with_values(self, taps: Sequence[Tap], *, searching: bool = False) -> Prepared:
        """The fastest network whose values at ``taps`` are the author's network's.

        In bfloat16 if it is for ``searching`` and that is allowed.
        """
        if self.gradients is self.own:
            return self.own
        rough = self._both_ways(torch.bfloat16) if searching and self.bfloat16 else None
        ways = (rough, self._both_ways(torch.float32), self._prepared)
        return next((way for way in ways if way and all(map(way.has, taps))), self.own)

    def _both_ways(self, dtype: torch.dtype) -> Prepared | None:
        """A copy that is quick at gradients, too; None where there is none that agrees."""
        if dtype not in self._slopes:
            found = None
            with contextlib.suppress(Exception):  # what a copy provokes in an author's code
                candidate = slopes.differentiable(self._prepared, self._found, dtype, self.batch)
                allowed = slopes.TOLERANCE if dtype == torch.float32 else slopes.ROUGH
                found = candidate if candidate and self._climbs_alike(candidate, allowed) else None
            self._slopes[dtype] = found
        return self._slopes[dtype]

    def _climbs_alike(self, candidate: Prepared, allowed: float) -> bool:
        slope, expected = (self._slope(path) for path in (candidate, self.own))
        return bool(slopes.alike(slope, expected, allowed).all())

    def _slope(self, path: Prepared) -> Tensor:
        """Gradients of the sum of each probe's logits, weighted so that a softmax has some."""
        with torch.enable_grad():
            inputs = self._probes.detach().clone().requires_grad_(True)
            logits = self._logits(path, path.laid_out(inputs))
            weights = torch.linspace(1, 2, logits.shape[1], device=logits.device)
            return torch.autograd.grad((logits * weights).sum(), inputs)[0]

    def forward(self, pictures: int) -> Fast:
        """What to use for forward passes of so many pictures."""
        faster = self.gradients
        unpacked = Fast(faster.unskipped, self.batch)
        if pictures <= fast.SMALL_JOB or faster is self.own:
            return unpacked
        if self._forward is None:
            self._forward = self._packed(torch.float32) or unpacked
        return self._forward

    def sampling(self, sample: Tensor, pictures: int) -> Fast:
        """What to use for so many pictures whose probabilities may be off by 1e-2.

        ``sample`` are some of their inputs.
        """
        exact = self.forward(pictures)
        if not self.bfloat16 or pictures <= fast.SMALL_SAMPLE or self.gradients is self.own:
            return exact
        if self._sampling is None:
            candidate = self._packed(torch.bfloat16)
            if candidate is None or not self._close(candidate, exact, sample):
                self.bfloat16 = False
                return exact
            self._sampling = candidate
        return self._sampling

    def after_stem(
        self, mosaics: Mosaics, pair: Tensor, path: Fast, sample: Tensor
    ) -> tuple[Fast, patterns.Patterns] | None:
        """What to run instead of ``path``, and on which layer; None where mosaics save nothing.

        pair (2, C, H, W) are inputs of the picture shown and the one hidden, ``sample`` (n, …)
        those of the first mosaics, on which both ways must agree before this one is used.
        """
        if self.gradients is self.own or pair.device.type != "cpu":
            return None
        if path.dtype not in self._stems:
            self._stems[path.dtype] = stem.stem_of(self.gradients, self._found, path.dtype)
        calls = self._stems[path.dtype]
        pixels = patterns.pixels_of(mosaics, *pair)
        if pixels is None:
            return None
        try:
            layers = stem.follow(calls, pixels, mosaics.masks)
        except Exception:  # what a layer of the author's makes of single values
            return None
        for layer, done in layers:  # an early layer may be used again by no layer's way
            key = (done, path.dtype)
            if key not in self._after_stem:
                rest = stem.without_stem(path, calls[:done])
                same = self._same(rest, layer.layer(0, len(sample)), path, sample)
                self._after_stem[key] = rest if same else None
            if (found := self._after_stem[key]) is not None:
                return found, layer
        return None

    def _same(self, rest: Fast, layer: Tensor, path: Fast, sample: Tensor) -> bool:
        """Whether ``rest`` makes of ``layer`` what ``path`` makes of ``sample``."""
        try:
            one, other = self._run(rest, layer), self._run(path, sample)
        except Exception:  # what a copy provokes in an author's code
            return False
        if path.dtype == torch.float32:
            return agree(one, other)
        exact = self._run(Fast(self.gradients.unskipped, path.batch), sample)
        gap = (one.softmax(1) - exact.softmax(1)).abs().max()
        return bool(gap <= fast.SAMPLING_TOLERANCE)

    def _packed(self, dtype: torch.dtype) -> Fast | None:
        batch = self.batch * 4 // dtype.itemsize  # as many bytes
        exact = dtype == torch.float32
        for how in ({"pixels": not exact}, {"with_relu": False}, {}):
            try:
                candidate = fast.packed(self.gradients.unskipped, self._found, dtype, batch, **how)
                if self._agrees(candidate, exact):
                    return candidate
            except Exception:  # noqa: S112 - what a precision provokes in an author's code
                continue
        return None

    def _agrees(self, candidate: Fast, exact: bool) -> bool:
        own = Fast(self.own.unskipped, self.batch)
        if not exact:
            return self._close(candidate, own, self._probes)
        return agree(self._run(candidate, self._probes), self._run(own, self._probes))

    def _run(self, path: Fast, inputs: Tensor) -> Tensor:
        return self._logits(path.prepared, path.laid_out(inputs))

    def _close(self, candidate: Fast, exact: Fast, inputs: Tensor) -> bool:
        try:
            one, other = (self._run(path, inputs).softmax(1) for path in (candidate, exact))
        except Exception:  # as above
            return False
        return bool((one - other).abs().max() <= fast.SAMPLING_TOLERANCE)


def _signature(network: nn.Module) -> tuple[int, ...]:
    """Numbers that change when something is written to the network, by torch's own book-keeping."""
    modules = list(network.modules())
    tensors = [p for m in modules for p in m._parameters.values() if p is not None]
    return (
        *map(id, modules),
        *(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules),
        *map(id, tensors),
        *(tensor._version for tensor in tensors),
    )
