"""Leaving a network as it was found, also when a run raises."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
)


class Keeper:
    """``with keeper():`` runs ``network`` in eval mode, repeatably, and puts everything back.

    Kept: train/eval mode of every submodule, buffers, ``requires_grad`` and ``.grad`` of
    parameters, hooks, and the random states of torch, numpy and Python, which are seeded inside.
    Parameters do not require gradients inside: only inputs and activations are asked for. A
    ``with`` inside a ``with`` does nothing.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.network, self.device = network, device
        self._depth = 0
        self._copies: dict[int, tuple[Tensor, int, Tensor]] = {}

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Keeps the network inside the ``with``."""
        self._depth += 1
        try:
            if self._depth > 1:
                yield
                return
            with ExitStack() as stack:
                self._keep(stack)
                yield
        finally:
            self._depth -= 1

    def _keep(self, stack: ExitStack) -> None:
        modules = list(self.network.modules())
        stack.callback(_put_back_modules, modules, [(m.training, _hooks(m)) for m in modules])
        for module in modules:
            self._keep_buffers(module, stack)
            # Not .eval(): a network may override train(), and children are visited anyway.
            if module.training:
                module.training = False
        parameters = list(self.network.parameters())
        kept = [(parameter.requires_grad, parameter.grad) for parameter in parameters]
        stack.callback(_put_back_parameters, parameters, kept)
        for parameter in parameters:
            parameter.requires_grad_(False)
        self._keep_randomness(stack)
        if self.device.type == "cuda":
            # Plain float32 and the same algorithm each time.
            stack.enter_context(
                torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False)
            )

    def _keep_randomness(self, stack: ExitStack) -> None:
        # The generators themselves: torch.manual_seed() notes down a call for CUDA every time.
        for generator in self._generators():
            stack.callback(generator.set_state, generator.get_state())
            generator.manual_seed(0)
        stack.callback(random.setstate, random.getstate())
        random.seed(0)
        stack.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002
        np.random.seed(0)  # noqa: NPY002

    def _generators(self) -> list[torch.Generator]:
        generators = [torch.default_generator]
        if self.device.type == "cuda":
            index = self.device.index
            index = torch.cuda.current_device() if index is None else index
            generators.append(torch.cuda.default_generators[index])
        return generators

    def _keep_buffers(self, module: nn.Module, stack: ExitStack) -> None:
        for name, buffer in module._buffers.items():
            if buffer is None:
                continue
            # One copy for many runs: the version tells whether anything has written to it.
            kept = self._copies.get(id(buffer))
            if kept is None or kept[0] is not buffer or kept[1] != buffer._version:
                kept = (buffer, buffer._version, buffer.detach().clone())
                self._copies[id(buffer)] = kept
            stack.callback(self._put_back_buffer, module, name, *kept)

    def _put_back_buffer(
        self, module: nn.Module, name: str, buffer: Tensor, version: int, copy: Tensor
    ) -> None:
        module._buffers[name] = buffer
        if buffer._version != version:
            with torch.no_grad():
                buffer.copy_(copy)
            self._copies[id(buffer)] = (buffer, buffer._version, copy)


def _hooks(module: nn.Module) -> list[dict[Any, Any] | None]:
    return [dict(vars(module)[name]) if vars(module).get(name) else None for name in _HOOKS]


def _put_back_modules(
    modules: list[nn.Module], kept: list[tuple[bool, list[dict[Any, Any] | None]]]
) -> None:
    for module, (training, hooks) in zip(modules, kept, strict=True):
        if module.training != training:
            module.training = training
        for name, before in zip(_HOOKS, hooks, strict=True):
            found = vars(module).get(name)
            if found is not None and (found or before):
                found.clear()
                found.update(before or {})


def _put_back_parameters(
    parameters: list[nn.Parameter], kept: list[tuple[bool, Tensor | None]]
) -> None:
    for parameter, (requires_grad, grad) in zip(parameters, kept, strict=True):
        parameter.requires_grad_(requires_grad)
        parameter.grad = grad
