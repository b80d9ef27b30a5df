"""What the default network brings along, where the report says nothing else. No torch here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fervis.errors import ModelError
from fervis.model.options import ModelOptions

MEAN, STD = 0.5077, 0.2550
"""Of the default network's training pictures, after dividing by 255."""

WEIGHTS = Path(__file__).parent / "weights" / "default.safetensors"
SOURCE = Path(__file__).parent / "default.py"


def is_default(options: ModelOptions) -> bool:
    """Whether the network is fervis' own."""
    return options.kind == "default"


def mean_and_std(options: ModelOptions) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per channel, or one number for all; the default network's where none are given."""
    given, own = options.model_fields_set, is_default(options)
    mean = MEAN if own and "mean" not in given else options.mean
    std = STD if own and "std" not in given else options.std
    return _tuple(mean), _tuple(std)


def weights_file(options: ModelOptions, folder: Path) -> Path | None:
    """Where the weights are, None if the network has none. Raises ModelError where missing."""
    if options.weights is not None:
        file = folder / options.weights
        with suppress(OSError):  # such as a name that is too long
            if file.is_file():
                return file
        raise ModelError(f"model.weights: there is no file {file}")
    if not is_default(options):
        return None
    if not WEIGHTS.is_file():
        raise ModelError(
            f"the default network's weights are missing: {WEIGHTS} (reinstall fervis, or name "
            "your own with model.weights)"
        )
    return WEIGHTS


def _tuple(value: float | list[float]) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, list) else (float(value),)
