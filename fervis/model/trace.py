"""What a forward pass is made of: one run on two pictures that lists every layer in call order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import batchnorm, conv, instancenorm
from torch.overrides import TorchFunctionMode

from fervis.model.functions import ACTIVATIONS, kind_of, without_dropout
from fervis.model.passes import Address, Manner, first_tensor, mannered

BLOCK = "block"

_KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((conv._ConvNd,), "conv"),
    ((instancenorm._InstanceNorm,), "in"),
    ((batchnorm._BatchNorm,), "bn"),
    ((nn.GroupNorm,), "gn"),
    ((nn.LayerNorm,), "ln"),
    ((nn.Linear, nn.Bilinear), "fc"),
    ((nn.MultiheadAttention,), "attn"),
    ((nn.modules.dropout._DropoutNd, nn.AlphaDropout), "drop"),
    ((nn.Identity,), "identity"),
    ((nn.Flatten, nn.Unflatten), "flatten"),
    ((nn.Embedding, nn.EmbeddingBag), "embed"),
    ((nn.RNNBase, nn.RNNCellBase), ""),
)
_ACTIVATION_CLASSES = {kind.replace("_", ""): kind for kind in ACTIVATIONS} | {
    "softmax2d": "softmax"
}


@dataclass(frozen=True)
class Event:
    """One call in the forward pass.

    ``type`` is the class or function as the author wrote it; ``shape`` is the output's without
    the batch (the whole shape where the first dimension is not the batch: ``per_image`` is
    False); ``source`` is the number of the event whose output, untouched, is this one's input;
    ``same_as`` the one whose output a block hands on; ``final``: the network returns this.
    """

    address: Address
    kind: str
    type: str
    shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    per_image: bool
    inplace: bool
    parameters: int
    source: int | None = None
    same_as: int | None = None
    calls: int = 1
    final: bool = False


@dataclass(frozen=True)
class Trace:
    """Every call of one forward pass, in order of completion, and what the network returned."""

    events: tuple[Event, ...]
    output: Any
    drops: bool = False

    def finals(self) -> list[Event]:
        """The events whose output is part of what the network returns."""
        return [event for event in self.events if event.final]


@dataclass
class _Call:
    address: Address
    kind: str
    type: str
    opaque: bool  # a layer with a common name: what happens inside is its own business
    parameters: int
    given: Tensor | None
    version: int
    output: Tensor | None = None
    output_version: int = 0


@dataclass
class _Recorder(TorchFunctionMode):
    manner: Manner
    calls: Counter[str] = field(default_factory=Counter)
    stack: list[_Call] = field(default_factory=list)
    done: list[_Call] = field(default_factory=list)
    functions: int = 0
    drops: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if without_dropout(name, args, kwargs or {}) is not None:
            self.drops = True
            func, args, kwargs = mannered(func, args, dict(kwargs or {}), Manner(no_dropout=True))
        func, args, kwargs = mannered(func, args, dict(kwargs or {}), self.manner)
        kind = kind_of(func, args, kwargs)
        if kind is None:
            return func(*args, **kwargs)
        address = Address(None, self.functions)
        self.functions += 1
        given = first_tensor((args, kwargs))
        version = 0 if given is None else given._version
        output = func(*args, **kwargs)
        if not (self.stack and self.stack[-1].opaque):
            self.close(_Call(address, kind, f"{name}()", True, 0, given, version), output)
        return output

    def enter(self, module: nn.Module, path: str, args: Any, kwargs: Any) -> None:
        """A module is called."""
        known = _module_kind(module)
        kind = known or re.sub(r"\W", "", type(module).__name__.lower())
        address = Address(path, self.calls[path])
        self.calls[path] += 1
        parameters = sum(p.numel() for p in module.parameters())
        given = first_tensor((args, kwargs))
        version = 0 if given is None else given._version
        opaque = known not in (BLOCK, "")
        self.stack.append(
            _Call(address, kind, type(module).__name__, opaque, parameters, given, version)
        )

    def leave(self, output: Any) -> None:
        """The module entered last returns."""
        self.close(self.stack.pop(), output)

    def close(self, call: _Call, output: Any) -> None:
        """Keeps the call; its tensors stay alive, so that identity tells them apart."""
        call.output = first_tensor(output)
        if call.output is not None:
            call.output_version = call.output._version
            self.done.append(call)


def trace(network: nn.Module, inputs: Tensor, manner: Manner) -> Trace:
    """Runs ``network`` once on ``inputs`` and lists its calls; hooks are removed afterwards.

    The caller holds the network in eval mode and without gradients.
    """
    recorder = _Recorder(manner)
    with ExitStack() as hooks:
        for path, module in network.named_modules():
            if "parametrizations" in path.split("."):
                continue
            if not path and _module_kind(module) in (BLOCK, ""):
                continue  # the network as a whole: "logits"

            def before(module: nn.Module, args: Any, kwargs: Any, path: str = path) -> None:
                recorder.enter(module, path, args, kwargs)

            def after(_: nn.Module, __: Any, ___: Any, output: Any) -> None:
                recorder.leave(output)

            hooks.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
            hooks.callback(module.register_forward_hook(after, with_kwargs=True).remove)
        with recorder:
            output = network(inputs)
    return Trace(_events(recorder, output, len(inputs)), output, recorder.drops)


def _module_kind(module: nn.Module) -> str:
    """The kind of a layer; BLOCK for what is made of layers; "" for what has no common name."""
    for classes, kind in _KINDS:
        if isinstance(module, classes):
            return kind or type(module).__name__.lower()
    for parent in type(module).__mro__:
        name = parent.__name__.lower()
        if parent.__module__ == nn.MaxPool2d.__module__ and "pool" in name:
            return "pool"
        if parent.__module__ == nn.ReLU.__module__ and name in _ACTIVATION_CLASSES:
            return _ACTIVATION_CLASSES[name]
    return BLOCK if next(module.children(), None) is not None else ""


def _events(recorder: _Recorder, output: Any, batch: int) -> tuple[Event, ...]:
    """Compares tensors by identity and version: an in-place change makes another value of it."""
    returned = {(id(tensor), tensor._version) for tensor in tensors_in(output)}
    made_by: dict[tuple[int, int], int] = {}
    events: list[Event] = []
    for number, call in enumerate(recorder.done):
        assert call.output is not None  # noqa: S101
        value = (id(call.output), call.output_version)
        same_as = None if call.opaque else made_by.get(value)
        source = made_by.get((id(call.given), call.version)) if call.given is not None else None
        if same_as is None:
            made_by[value] = number
        shape, per_image = tuple(call.output.shape), call.output.shape[:1] == (batch,)
        events.append(
            Event(
                address=call.address,
                kind=call.kind,
                type=call.type,
                shape=shape[1:] if per_image else shape,
                input_shape=() if call.given is None else tuple(call.given.shape)[1:],
                per_image=per_image,
                inplace=call.output is call.given and call.output_version != call.version,
                parameters=call.parameters,
                source=source,
                same_as=same_as,
                calls=recorder.calls[call.address.path] if call.address.path is not None else 1,
                final=value in returned and same_as is None,
            )
        )
    return tuple(events)


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    inner = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(inner, tuple | list):
        return []
    return [tensor for item in inner for tensor in tensors_in(item)]
