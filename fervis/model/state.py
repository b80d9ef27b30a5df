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
        buffers = [(m, name, b) for m in modules for name, b in m._buffers.items() if b is not None]
        kept_buffers = [(m, name, b, b.detach().clone()) for m, name, b in buffers]
        stack.callback(_put_back_buffers, kept_buffers)
        for module in modules:
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


def _put_back_buffers(kept: list[tuple[nn.Module, str, Tensor, Tensor]]) -> None:
    for module, name, buffer, copy in kept:
        module._buffers[name] = buffer
        # By value: BatchNorm writes its statistics without raising the tensor's version. Only
        # where they differ: a graph may hold the buffer, and must not find it written to.
        if not torch.equal(buffer, copy):
            with torch.no_grad():
                buffer.copy_(copy)


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
