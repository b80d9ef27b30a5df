"""Which processor the network runs on."""

from __future__ import annotations

import os

import torch

from fervis.errors import ModelError

VARIABLE = "FERVIS_DEVICE"


def choose() -> torch.device:
    """CUDA, else MPS, else the CPU; the environment variable FERVIS_DEVICE overrides.

    Raises ModelError where the variable names a device that this machine does not have.
    """
    wanted = os.environ.get(VARIABLE, "").strip()
    if not wanted:
        return _best()
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"{VARIABLE}={wanted}: this machine cannot use that device ({reason}); "
            "expected cpu, cuda, cuda:0 … or mps, or leave the variable empty"
        ) from error
    return device


def _best() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
