"""The network as its author's code builds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from fervis.errors import ModelError
from fervis.model.code import LocalCode, Target, load_object, parse, require_network_code
from fervis.model.told import told


def build(factory: str, args: Mapping[str, Any], folder: Path) -> nn.Module:
    """Builds `path/to/file.py:Name` (inside ``folder``) or `package.module:Name`.

    Raises ModelError, with the place in the author's code where that is what failed.
    """
    target = parse(factory, folder)
    return construct(target, args, LocalCode(folder, target.file))


def construct(target: Target, args: Mapping[str, Any], code: LocalCode) -> nn.Module:
    """Calls what ``target`` names; a network that is already built is taken as it is."""
    found = load_object(target, code)
    if isinstance(found, nn.Module) and not args:
        return unwrapped(found)
    if isinstance(found, type) and not issubclass(found, nn.Module):
        raise ModelError(f"model.factory: {target.text} is a class, but not a torch.nn.Module")
    if not isinstance(found, type):
        require_network_code(found, target)
    if not callable(found) or isinstance(found, nn.Module):
        raise ModelError(
            f"model.factory: {target.text} is a {type(found).__name__}; expected a class or a "
            "function that returns a network"
        )
    try:
        with code:
            network = found(**args)
    except (Exception, SystemExit) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in args.items())
        raise ModelError(
            f"model.factory: {target.name}({given}) failed: {told(error, code.folder)}"
        ) from error
    if not isinstance(network, nn.Module):
        raise ModelError(
            f"model.factory: {target.text} returned a {type(network).__name__}; expected a "
            "torch.nn.Module (is a `return` missing?)"
        )
    return unwrapped(network)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network without torch.compile's and DataParallel's wrappers, at any depth.

    Hooks do not see into a compiled module, and neither wrapper changes a number.
    """
    while (inner := _inner(network)) is not None:
        network = inner
    for module in list(network.modules()):
        for name, child in module.named_children():
            if _inner(child) is not None:
                setattr(module, name, unwrapped(child))
    return network


def _inner(module: nn.Module) -> nn.Module | None:
    if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        inner: nn.Module = module.module
        return inner
    # By its attribute: importing torch._dynamo for the class takes seconds.
    found = module._modules.get("_orig_mod")
    return found if isinstance(found, nn.Module) else None
