"""From pictures as they are stored to what the network wants as input."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fervis.errors import AnalysisError, ModelError
from fervis.model.code import LocalCode, load_object, parse, require_network_code
from fervis.model.defaults import mean_and_std
from fervis.model.options import ModelOptions
from fervis.model.told import told


@dataclass(frozen=True)
class Preprocessing:
    """images (N, H, W, C) uint8 → (N, C, H, W) float32: scale, mean, std, or the author's own."""

    channels: int
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    function: Callable[[NDArray[np.uint8]], Any] | None
    code: LocalCode

    def __call__(self, images: NDArray[np.uint8], device: torch.device) -> Tensor:
        """The input on ``device``. Raises ModelError where pictures and options do not fit."""
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ModelError(
                f"pictures have shape {images.shape} and type {images.dtype}; expected "
                "(N, H, W, C) uint8"
            )
        if self.function is not None:
            return self._by_function(images).to(device)
        if images.shape[3] not in (1, self.channels):
            raise ModelError(
                f"the pictures have {images.shape[3]} channels, the network takes "
                f"{self.channels}; check model.channels"
            )
        # Copied: the pictures may be a read-only memory map.
        pixels = torch.from_numpy(np.array(images)).to(device).permute(0, 3, 1, 2)
        inputs = pixels.to(torch.float32, memory_format=torch.contiguous_format)
        inputs = inputs.div_(self.scale).expand(-1, self.channels, -1, -1)
        return (inputs - self._column(self.mean, device)) / self._column(self.std, device)

    def _column(self, values: tuple[float, ...], device: torch.device) -> Tensor:
        return torch.tensor(values, device=device).view(1, -1, 1, 1)

    def _by_function(self, images: NDArray[np.uint8]) -> Tensor:
        assert self.function is not None  # noqa: S101
        try:
            with self.code, torch.no_grad():
                inputs = self.function(np.array(images))
        except (Exception, SystemExit) as error:
            raise AnalysisError(f"model.preprocess: {told(error, self.code.folder)}") from error
        if isinstance(inputs, np.ndarray):
            inputs = torch.from_numpy(inputs)
        if not isinstance(inputs, Tensor) or inputs.ndim != 4 or len(inputs) != len(images):
            found = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
            raise ModelError(
                f"model.preprocess: for pictures {images.shape} it returned {found}; expected a "
                f"float tensor ({len(images)}, C, H, W)"
            )
        # Copied: a permuted array's strides would make `view` fail in the author's forward.
        return torch.empty(inputs.shape).copy_(inputs.detach())


def preprocessing(options: ModelOptions, folder: Path) -> Preprocessing:
    """What ``options`` say about the input. Raises ModelError where numbers do not fit."""
    mean, std = mean_and_std(options)
    for field, values in (("mean", mean), ("std", std)):
        if len(values) not in (1, options.channels):
            raise ModelError(
                f"model.{field} has {len(values)} numbers; expected 1 or model.channels, "
                f"which is {options.channels}"
            )
    if any(value == 0 for value in std):
        raise ModelError("model.std is 0; the input is divided by it")
    function, code = None, LocalCode(folder, None)
    if options.preprocess is not None:
        target = parse(options.preprocess, folder, "preprocess")
        code = LocalCode(folder, target.file)
        function = load_object(target, code, "preprocess")
        require_network_code(function, target, "preprocess")
        if not callable(function):
            raise ModelError(f"model.preprocess: {target.text} is not a function")
    return Preprocessing(options.channels, options.scale, mean, std, function, code)


def let_go(images: NDArray[np.uint8]) -> None:
    """Gives back the memory that a read-only memory map has filled; it is read again if needed.

    Otherwise a split counts as memory in use as far as it has been read.
    """
    base: Any = images
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)
