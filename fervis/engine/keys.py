"""Content keys: all that can change the numbers of a result, and nothing else."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fervis.errors import MachineError
from fervis.installed import version

COMPUTING = ("torch", "numpy", "scikit-image", "lime", "scikit-learn", "scipy")
"""Distributions whose versions can change a number."""


def digest(value: Any) -> str:
    """A stable hash of JSON-able data."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A path that is no UTF-8, or not in this locale, comes as surrogates.
    content = text.encode(errors="surrogateescape")
    return hashlib.blake2b(content, digest_size=20).hexdigest()


def array_digest(array: NDArray[Any]) -> str:
    """A hash of an array's shape, type and bytes."""
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.blake2b(head + np.ascontiguousarray(array).tobytes(), digest_size=20).hexdigest()


_DEEPEST = 20  # folders of code or templates in one another


@functools.cache
def versions() -> Mapping[str, str]:
    """Installed versions of the libraries that compute; asks for no import."""
    found = {}
    for name in COMPUTING:
        try:
            found[name] = version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def native_bfloat16() -> bool:
    """Whether this processor says that it multiplies bfloat16 itself; asks for no import.

    With precision "auto" samples differ between machines that do and machines that do not, and
    both may share one store.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


_NUMBERS = (".npz", ".safetensors")


@functools.cache
def source_digest(*folders: str) -> str:
    """A hash of the Python and template files below folders or files, by relative name.

    Files of numbers are left out: they are data or weights, and have digests of their own.
    """
    state = hashlib.blake2b(digest_size=20)
    for folder in folders:
        root = Path(folder)
        names = [""] if root.is_file() else sorted(_below(folder)) if root.is_dir() else []
        for name in names:
            state.update(os.fsencode(f"{root.name}/{name}") + b"\0")
            state.update((root / name).read_bytes() + b"\0")
    return state.hexdigest()


def _below(folder: str, prefix: str = "") -> Iterator[str]:
    """Relative names of the files below a folder, without what Python compiled.

    Of links those that name a file; a folder that may not be read counts as empty.
    """
    if prefix.count("/") > _DEEPEST:
        raise MachineError(f"{folder}: folders more than {_DEEPEST} deep; remove them")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _below(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file() and not entry.name.endswith(_NUMBERS):
                yield prefix + entry.name


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of one subject and one analysis; no other task can shift them."""
    words = np.frombuffer(
        hashlib.blake2b("\0".join(names).encode(), digest_size=16).digest(), np.uint32
    )
    return np.random.default_rng([seed, *words.tolist()])
