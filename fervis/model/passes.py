"""One forward pass in which chosen values are captured, replaced, or end the pass.

A value is found by its address: the n-th call of a module, or the n-th counted call of a torch
function (see ``functions``). Modules are seen by hooks, functions by a TorchFunctionMode.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from fervis.model.functions import kind_of, without_dropout


class Address(NamedTuple):
    """Call number ``call`` (from 0) of the module at ``path``; ``path`` None: of functions."""

    path: str | None
    call: int


@dataclass(frozen=True)
class Tap:
    """A value to capture: what comes out at ``address``, or what goes in (``before``).

    ``inplace`` says that the call there overwrites its input.
    """

    address: Address
    before: bool = False
    inplace: bool = False


@dataclass(frozen=True)
class Manner:
    """How the author's forward must be run: see ``functions.without_dropout`` for the first.

    ``views_copy``: ``x.view(…)`` becomes ``x.reshape(…)``, for tensors laid out channels last.
    ``bypass``: the call there returns its input (the network's final softmax); so do those in
    ``passed``.
    """

    no_dropout: bool = False
    views_copy: bool = False
    bypass: Address | None = None
    passed: frozenset[Address] = frozenset()


class _Reached(BaseException):
    """The last tap is captured; no ``except Exception`` in a forward stops it."""


@dataclass
class Pass:
    """One forward pass of ``network``; ``values`` has one tensor per tap afterwards."""

    network: nn.Module
    taps: Sequence[Tap]
    manner: Manner
    stop: bool = False
    values: dict[Tap, Tensor] = field(default_factory=dict)

    def run(self, inputs: Tensor) -> Any:
        """What the network returns; None if the pass was stopped at the last tap."""
        bypass = self.manner.bypass
        paths = {tap.address.path for tap in self.taps} | {bypass.path if bypass else ""}
        paths |= {address.path for address in self.manner.passed}
        with ExitStack() as stack:
            for path in sorted(path for path in paths if path):
                self._hook(self.network.get_submodule(path), path, stack)
            if "" in {tap.address.path for tap in self.taps}:
                self._hook(self.network, "", stack)
            if None in paths or self.manner.no_dropout or self.manner.views_copy:
                stack.enter_context(_Functions(self))
            try:
                return self.network(inputs)
            except _Reached:
                return None

    def _hook(self, module: nn.Module, path: str, stack: ExitStack) -> None:
        calls = 0
        open_calls: list[tuple[Address, Tensor | None]] = []

        def before(_: nn.Module, args: Any, kwargs: Any) -> Any:
            nonlocal calls
            address, original = Address(path, calls), first_tensor((args, kwargs))
            open_calls.append((address, original))
            calls += 1
            return exchanged((args, kwargs), original, self.entering(address, original))

        def after(_: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
            address, original = open_calls.pop()
            first, given = first_tensor(output), first_tensor((args, kwargs))
            return exchanged(output, first, self.leaving(address, first, original, given))

        stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
        stack.callback(module.register_forward_hook(after, with_kwargs=True).remove)

    def entering(self, address: Address, given: Tensor | None) -> Tensor | None:
        """What the call at ``address`` gets instead of its first tensor ``given``."""
        here = [tap for tap in self.taps if tap.address == address]
        if given is None or not here:
            return given
        overwritten = any(tap.inplace for tap in here)
        for tap in here:
            if tap.before:
                value = given.clone() if overwritten else given
                self._captured(tap, value)
                return value.clone()
        return given.clone() if overwritten else given

    def leaving(
        self, address: Address, output: Tensor | None, original: Tensor | None, given: Tensor | None
    ) -> Tensor | None:
        """What the network gets instead of ``output``.

        ``original`` is the call's first tensor, ``given`` what it got in its place.
        """
        here = [tap for tap in self.taps if tap.address == address]
        skipped = address == self.manner.bypass or address in self.manner.passed
        bypassed = skipped and original is not None
        if output is None or not here:
            return original if bypassed else output
        overwritten = any(tap.inplace for tap in here)
        result = output
        for tap in here:
            if not tap.before:
                # A clone goes on, so that a later in-place ReLU does not overwrite the capture. A
                # view, or the very input of the call (dropout in eval mode), may be overwritten
                # through its other name, so of those the capture is a copy of its own.
                shared = output._is_view() or (output is given and not overwritten)
                value = output.clone() if shared else output
                self._captured(tap, value)
                result = value if overwritten else value.clone()
        if overwritten and original is not None:
            # The call overwrote a copy. What it did to the original is made up for, because the
            # network may go on with that name.
            return original.copy_(result)
        return original if bypassed else result

    def _captured(self, tap: Tap, value: Tensor) -> None:
        self.values[tap] = value
        if self.stop and len(self.values) == len(self.taps):
            raise _Reached


class _Functions(TorchFunctionMode):
    """Counts the calls of layer-like functions and applies the pass to them."""

    def __init__(self, forward: Pass) -> None:
        super().__init__()
        self.forward, self.calls = forward, 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        func, args, kwargs = mannered(func, args, kwargs, self.forward.manner)
        if kind_of(func, args, kwargs) is None:
            return func(*args, **kwargs)
        address = Address(None, self.calls)
        self.calls += 1
        original = first_tensor((args, kwargs))
        passed = self.forward.entering(address, original)
        args, kwargs = exchanged((args, kwargs), original, passed)
        output = func(*args, **kwargs)
        first = first_tensor(output)
        return exchanged(output, first, self.forward.leaving(address, first, original, passed))


def mannered(
    func: Callable[..., Any], args: Any, kwargs: dict[str, Any], manner: Manner
) -> tuple[Callable[..., Any], Any, dict[str, Any]]:
    """The call that is made instead of ``func(*args, **kwargs)``."""
    name = getattr(func, "__name__", "")
    if manner.no_dropout and (changed := without_dropout(name, args, kwargs)):
        return func, *changed
    if manner.views_copy and name == "view" and not kwargs and isinstance(args[1], int | tuple):
        return torch.Tensor.reshape, args, kwargs
    return func, args, kwargs


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return value
    inner = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, tuple | list | Mapping):
        for item in inner:
            if (found := first_tensor(item)) is not None:
                return found
    return None


def exchanged(value: Any, old: Tensor | None, new: Tensor | None) -> Any:
    """``value`` with its first tensor, which is ``old``, replaced by ``new``."""
    if old is None or new is None or old is new:
        return value
    return _exchanged(value, old, new, Counter())


def _exchanged(value: Any, old: Tensor, new: Tensor, done: Counter[str]) -> Any:
    if value is old and not done["tensor"]:
        done["tensor"] += 1
        return new
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_exchanged(item, old, new, done) for item in value))
    if type(value) in (tuple, list):
        return type(value)(_exchanged(item, old, new, done) for item in value)
    if isinstance(value, dict) and type(value).__module__ in ("builtins", "collections"):
        return type(value)((k, _exchanged(v, old, new, done)) for k, v in value.items())
    return value
