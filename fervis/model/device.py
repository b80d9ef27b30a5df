"""Which processor the network runs on."""

from __future__ import annotations

import contextlib
import ctypes
import os

import torch

from fervis.errors import ModelError

VARIABLE = "FERVIS_DEVICE"
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_LARGE = 1 << 30


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


def keep_freed_memory() -> None:
    """Lets the C library keep what large tensors leave behind, instead of giving it back at once.

    glibc maps every tensor of some megabytes afresh, and the system fills each page with zeros
    when it is first touched: a fifth of a forward pass. Other C libraries are left alone.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 (AttributeError where it is not glibc)
        for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            library.mallopt(option, _LARGE)
