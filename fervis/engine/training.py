"""Gather what a training run learns from, run it, and keep recipe, log and curves beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from fervis.data.dataset import Dataset
from fervis.errors import DataError

if TYPE_CHECKING:
    from fervis.model.recipe import Recipe
    from fervis.model.train import EpochResult, LabelledImages

HELD_OUT = 0.1
"""Share of the training pictures on which a run is judged while it learns."""


@dataclass(frozen=True)
class Division:
    """Indices into the training split: what is learned from, what is held out."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    dropped: int


def divide(images: NDArray[np.uint8], excluded: NDArray[np.uint8] | None, seed: int) -> Division:
    """A seeded tenth is held out, after dropping repeated pictures and those also in ``excluded``.

    images (N, H, W, C). A picture that is also in the test split would make the test flatter; one
    that is there twice could end on both sides of the division.
    """
    known = set() if excluded is None else {picture.tobytes() for picture in excluded}
    kept = []
    for index, picture in enumerate(images):
        content = picture.tobytes()
        if content not in known:
            known.add(content)
            kept.append(index)
    order = np.random.default_rng([seed, 1]).permutation(len(kept))
    count = int(len(kept) * HELD_OUT)
    places = np.asarray(kept, np.int64)
    return Division(
        np.sort(places[order[count:]]), np.sort(places[order[:count]]), len(images) - len(kept)
    )


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file. Raises DataError with every field that is wrong."""
    from fervis.model.recipe import Recipe

    try:
        return TypeAdapter(Recipe).validate_python(yaml.safe_load(path.read_text("utf-8")) or {})
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"{path}: {error}") from error
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DataError(f"{path}: " + "; ".join(lines)) from error


def train_on(
    network: Any,
    dataset: Dataset,
    excluded: Dataset | None,
    extra: Callable[[], LabelledImages] | None,
    recipe: Recipe,
    folder: Path,
    *,
    mean: float,
    std: float,
    on_batch: Callable[[int, int, int, float], None] = lambda *_: None,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
) -> Path:
    """Trains and writes ``weights.safetensors``, ``recipe.yaml`` and ``log.csv`` into ``folder``.

    ``excluded`` is the test split, of which no picture may be learned. Returns the weights' path.
    """
    from safetensors.torch import save_file

    from fervis.model.train import LabelledImages, Sets, train

    if dataset.labels is None:
        raise DataError(f"the split {dataset.split!r} has no labels; training needs them")
    division = divide(dataset.images, None if excluded is None else excluded.images, recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(
        yaml.safe_dump(_plain(asdict(recipe)), sort_keys=False), "utf-8"
    )
    sets = Sets(
        LabelledImages(dataset.images[division.train], dataset.labels[division.train]),
        LabelledImages(dataset.images[division.valid], dataset.labels[division.valid]),
        extra,
        mean,
        std,
    )
    trained = train(network, sets, recipe, folder, on_batch=on_batch, on_epoch=on_epoch)
    weights = folder / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in trained.state_dict().items()}, weights)
    return weights


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
