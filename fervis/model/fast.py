"""Forward passes only: convolutions packed for oneDNN together with their ReLU.

One oneDNN call does convolution, bias and ReLU in one go over memory, with weights that were
reordered once. torch.compile with freezing uses the same operators, but needs a C++ compiler and
half a minute; frozen TorchScript is deprecated.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from fervis.model.fold import Prepared, plain
from fervis.model.functions import count_one
from fervis.model.trace import Event, Trace

SMALL_JOB, SMALL_SAMPLE = 256, 64
"""Up to so many pictures a preparation costs more than it saves, in float32 and in bfloat16."""

SAMPLING_TOLERANCE = 1e-2
"""Largest difference of a probability in bfloat16 from float32."""

_ROOM = {"cpu": (40 << 20, 128), "cuda": (1 << 30, 1024), "mps": (256 << 20, 256)}
"""Bytes for the largest layer of a batch, in and out (a CPU's: its cache), and most pictures."""


@dataclass(frozen=True)
class Fast:
    """A network prepared for forward passes, ``batch`` pictures at a time.

    ``dtype`` is the precision after the first convolution; ``prepared`` has that of the input.
    """

    prepared: Prepared
    batch: int
    dtype: torch.dtype = torch.float32

    def laid_out(self, inputs: Tensor) -> Tensor:
        """``inputs`` in the layout and precision of the network."""
        return self.prepared.laid_out(inputs)


NARROW = 4
"""Convolutions of up to so many channels see pixels."""


def packed(
    folded: Prepared,
    found: Trace,
    dtype: torch.dtype,
    batch: int,
    *,
    with_relu: bool = True,
    pixels: bool = False,
) -> Fast:
    """A copy of ``folded`` for forward passes of about ``batch`` pictures in ``dtype``.

    With ``pixels``, those are not rounded to ``dtype``: convolutions that see them take float32.
    Pixels make four fifths of what bfloat16 adds to the default network's errors. Whether a copy
    gives the same numbers is for the caller to check (not ``with_relu``, if a value before its
    ReLU is used elsewhere too). Off the CPU, and where torch was built without oneDNN, only the
    precision changes.
    """
    network = copy.deepcopy(folded.network).to(dtype)
    if has_onednn(network, dtype):
        for event, following in packable(network, found, folded):
            relu = following if with_relu else None
            conv: Any = network.get_submodule(str(event.address.path))
            size, after = [batch, *event.input_shape], "relu" if relu is not None else "none"
            if pixels and conv.in_channels <= NARROW:
                conv.float()
            conv.forward = _forward(conv, size, after, dtype)
            if relu is not None:
                silence(network, relu)
    given = torch.float32 if pixels else dtype
    return Fast(replace(folded, network=network, dtype=given), batch, dtype)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor itself multiplies bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not torch._C._has_mkldnn:
        return False
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


def best_batch(found: Trace, device: torch.device) -> int:
    """Pictures per batch so that the largest layer stays in the cache; a power of two from 8.

    From the network's shapes alone, so that the same report gives the same bytes each time.
    """
    room, most = _ROOM.get(device.type, _ROOM["cpu"])
    largest = max((_floats(e.shape) + _floats(e.input_shape) for e in found.events), default=1)
    fits = room // (4 * largest)
    return min(most, max(8, 1 << max(fits, 1).bit_length() - 1))


def _floats(shape: tuple[int, ...]) -> int:
    return torch.Size(shape).numel()


def has_onednn(network: nn.Module, dtype: torch.dtype) -> bool:
    """Whether oneDNN can run the network's convolutions in ``dtype`` here."""
    weight = next(network.parameters(), None)
    return (
        weight is not None
        and weight.device.type == "cpu"
        and torch._C._has_mkldnn
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and (dtype == torch.float32 or has_bfloat16(weight.device))
    )


def packable(
    network: nn.Module, found: Trace, folded: Prepared
) -> Iterator[tuple[Event, Event | None]]:
    """Each plain 2-d convolution, and the ReLU that is the next to see what it makes."""
    relus: dict[int, Event] = {}
    for event in found.events:
        if event.kind == "relu" and event.source is not None:
            relus.setdefault(event.source, event)
    for number, event in enumerate(found.events):
        if event.kind != "conv" or not event.address.path or len(event.input_shape) != 3:
            continue
        conv = network.get_submodule(event.address.path)
        if type(conv) is not nn.Conv2d or conv.padding_mode != "zeros" or not plain(conv):
            continue
        if isinstance(conv.padding, str) or event.calls != 1:
            continue
        carries_norm = (event.address, False) in folded.changed
        last = _norm_after(found, number) if carries_norm else number
        yield event, relus.get(last)


def _norm_after(found: Trace, number: int) -> int:
    return next(
        other
        for other, event in enumerate(found.events)
        if event.source == number and event.kind == "bn"
    )


def silence(network: nn.Module, relu: Event) -> None:
    """Takes out a ReLU that its convolution does already.

    A shared one or F.relu is left: it does no harm to do it twice.
    """
    if relu.address.path is not None and relu.calls == 1:
        silenced: Any = network.get_submodule(relu.address.path)
        silenced.forward = handing_on


def reordered(conv: nn.Conv2d, size: list[int]) -> Tensor:
    """The weights of ``conv`` as oneDNN wants them for inputs (N, C, H, W) of that ``size``."""
    how = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
    weight = conv.weight.detach()
    result: Tensor = torch.ops.mkldnn._reorder_convolution_weight(weight, *how, size)
    return result


def _forward(
    conv: Any, size: list[int], after: str, dtype: torch.dtype
) -> Callable[[Tensor], Tensor]:
    how: tuple[Any, ...] = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
    weight = reordered(conv, size)
    bias = None if conv.bias is None else conv.bias.detach()

    def forward(inputs: Tensor) -> Tensor:
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            inputs, weight, bias, *how, after, [], ""
        )
        return result.to(dtype)

    return forward


def handing_on(inputs: Tensor) -> Tensor:
    """A call that does nothing any more, but still counts as one."""
    count_one()
    return inputs
