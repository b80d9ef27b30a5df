"""Gather what a training run learns from, run it, and keep recipe, log and curves beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from fervis.analyses import REGISTRY, Context, Subjects
from fervis.data import KINDS, open_dataset
from fervis.data.dataset import Dataset
from fervis.data.log import read_log
from fervis.errors import DataError
from fervis.model.defaults import MEAN, STD

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


@dataclass(frozen=True)
class Job:
    """All that run_job() needs, opened and checked."""

    dataset: Dataset
    excluded: Dataset | None
    network: Any
    extra: Callable[[], LabelledImages] | None
    recipe: Recipe
    out: Path
    mean: float
    std: float


def prepare(
    data: Path,
    *,
    split: str | None = None,
    test: str | None = None,
    faces: int = 0,
    factory: str | None = None,
    recipe_file: Path | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    out: Path,
) -> Job:
    """Opens the data and builds the network of a training run.

    ``data`` is a FER2013 CSV, a folder or an .npz; ``split`` and ``test`` default to the usual
    names. Raises DataError or ModelError.
    """
    from fervis.model.recipe import Recipe, Stage

    recipe = read_recipe(recipe_file) if recipe_file else Recipe()
    if epochs is not None:
        recipe = replace(recipe, stages=(Stage(epochs, 48, extra=bool(faces)),))
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    kind = "folder" if data.is_dir() else "npz" if data.suffix == ".npz" else "fer2013"
    usual = ("Training", "PublicTest") if kind == "fer2013" else ("train", "test")
    size = max(stage.size for stage in recipe.stages)

    def opened(name: str) -> Dataset:
        options = KINDS[kind].model_validate({"kind": kind, "path": data, "split": name})
        return open_dataset(
            options, folder=Path.cwd(), cache=out / "data", size=(size, size), channels=1
        )

    dataset = opened(split or usual[0])
    excluded = opened(test or usual[1])
    network = _network(factory, len(dataset.classes), recipe.seed)
    mean, std = (MEAN, STD) if factory is None else _mean_and_std(dataset.images)
    return Job(
        dataset,
        excluded,
        network,
        _faces(faces, size) if faces else None,
        recipe,
        out,
        mean=mean,
        std=std,
    )


def run_job(
    job: Job,
    *,
    on_batch: Callable[[int, int, int, float], None] = lambda *_: None,
    on_epoch: Callable[[EpochResult], None] = lambda _: None,
) -> Path:
    """Trains, and draws ``curves.svg`` from the log beside the weights. Returns their path."""
    weights = train_on(
        job.network,
        job.dataset,
        job.excluded,
        job.extra,
        job.recipe,
        job.out,
        mean=job.mean,
        std=job.std,
        on_batch=on_batch,
        on_epoch=on_epoch,
    )
    analysis = REGISTRY["training"]
    empty = np.zeros((0, 1, 1, 1), np.uint8)
    options = analysis.Options.model_validate({"log": job.out / "log.csv"})
    subjects = Subjects(empty, None, (np.random.default_rng(0),), log=read_log(job.out / "log.csv"))
    result = analysis.compute(None, subjects, options)[0]
    figure = analysis.draw(result, options, Context((), "", job.recipe.seed))
    chart = next(panel for panel in figure.panels if panel.svg)
    (job.out / "curves.svg").write_text(chart.svg, "utf-8")
    return weights


def _network(factory: str | None, classes: int, seed: int) -> Any:
    import torch

    torch.manual_seed(seed)
    if factory is not None:
        from fervis.model.factory import build

        return build(factory, {}, Path.cwd())
    from fervis.model.default import ExpressionNet

    return ExpressionNet(classes)


def _mean_and_std(images: NDArray[np.uint8]) -> tuple[float, float]:
    """Of all pixels after dividing by 255, rounded as one would write them into a report."""
    counts = np.bincount(images[:: max(1, len(images) // 5000)].ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = np.average(values, weights=counts)
    return round(float(mean), 4), round(
        float(np.sqrt(np.average((values - mean) ** 2, weights=counts))), 4
    )


FACES_SEED = 31
"""Seed of the identities that are only learned from; the shipped ones come from another."""


def _faces(identities: int, size: int) -> Callable[[], LabelledImages]:
    def render() -> LabelledImages:
        from fervis.data.faces import generate, shipped
        from fervis.model.train import LabelledImages

        sets = [generate.render_set(identities, FACES_SEED, size, 2)]
        if size == 48:
            sets.append(shipped.load("train"))
        return LabelledImages(
            np.concatenate([faces.images for faces in sets])[..., None],
            np.concatenate([faces.labels for faces in sets]).astype(np.int64),
        )

    return render
