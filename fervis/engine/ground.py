"""Open the data, choose the pictures and check every name in the report against what exists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fervis.analyses import REGISTRY
from fervis.data import DataOptions, open_dataset
from fervis.data.dataset import Dataset
from fervis.data.log import read_log
from fervis.engine.network import Facts, Network
from fervis.engine.pick import median_correct
from fervis.engine.plan import BESIDE, WRITTEN, Ground, log_name, part_options
from fervis.engine.run import Advance, probabilities
from fervis.engine.store import Store
from fervis.errors import Complaint, DataError, FervisError, ReportError
from fervis.model.options import ModelOptions
from fervis.spec.report import Part, Report

DEFAULT_LOG = Path(__file__).parent.parent / "model" / "weights" / "default.csv"


def model_options(report: Report) -> ModelOptions:
    """``model:`` of a report, typed."""
    if not isinstance(report.model, ModelOptions):
        raise TypeError("report.model is no ModelOptions")
    return report.model


def data_options(report: Report) -> DataOptions:
    """``data:`` of a report, typed."""
    if not isinstance(report.data, DataOptions):
        raise TypeError("report.data is no DataOptions")
    return report.data


def open_data(report: Report, cache: Path, split: str | None = None) -> Dataset:
    """The split that the report is about, or another one. Raises ReportError at ``data:``."""
    model = model_options(report)
    try:
        return open_dataset(
            data_options(report),
            folder=report.folder,
            cache=cache / "data",
            size=model.height_width,
            channels=model.channels,
            split=split,
        )
    except DataError as error:
        raise ReportError([report.complaint(("data",), str(error))]) from error


def lacking(report: Report, cache: Path) -> list[Complaint]:
    """What the data and the network lack for the parts of a faulty report that fit."""
    if report.data is None or report.model is None:
        return []
    try:
        dataset = open_data(report, cache)
        store = Store(cache / "results")
        network = Network(model_options(report), report.folder, len(dataset.classes), store)
    except ReportError as error:
        return list(error.complaints)
    except FervisError as error:
        return [report.complaint(("model",), str(error))]
    return check(report, dataset, network)


def check(report: Report, dataset: Dataset, network: Network) -> list[Complaint]:
    """Everything in the report that its data or its network do not have."""
    complaints = [*_check_pictures(report, dataset)]
    try:
        facts = network.facts()
    except FervisError as error:
        return [*complaints, report.complaint(("model",), str(error))]
    for part in analysis_parts(report):
        complaints += _check_layers(part, report, facts)
        complaints += _check_target(part, report, len(dataset.classes))
        if REGISTRY[part.analysis].SCOPE == "log" and _log_path(part, report) is None:
            complaints.append(
                report.complaint(
                    (*part.where, part.analysis),
                    "no training log; name one with `log:` (a CSV with an epoch column)",
                )
            )
        if (
            REGISTRY[part.analysis].SCOPE == "split"
            and not getattr(part.options, "split", None)
            and dataset.labels is None
        ):
            complaints.append(
                report.complaint(
                    (*part.where, part.analysis),
                    f"the split {dataset.split!r} has no labels, which {part.analysis} needs; "
                    "name a labelled split with `split:`",
                )
            )
    return complaints


def stand(
    report: Report,
    dataset: Dataset,
    network: Network,
    cache: Path,
    store: Store,
    advance: Advance,
) -> Ground:
    """What the tasks stand on: the other splits, the logs, and an index for every picture.

    Raises ReportError where a split, a log or an ``auto`` picture cannot be had.
    """
    complaints: list[Complaint] = []
    splits: dict[str, Dataset] = {}
    logs: dict[str, Mapping[str, Any]] = {}
    for part in analysis_parts(report):
        split = getattr(part.options, "split", None)
        try:
            if isinstance(split, str) and split != dataset.split and split not in splits:
                model = model_options(report)
                splits[split] = open_dataset(
                    data_options(report),
                    folder=report.folder,
                    cache=cache / "data",
                    size=model.height_width,
                    channels=model.channels,
                    split=split,
                )
            if REGISTRY[part.analysis].SCOPE == "log":
                path = _log_path(part, report)
                if path is not None:
                    logs[log_name(part.options)] = read_log(path)
        except DataError as error:
            complaints.append(report.complaint((*part.where, part.analysis), str(error)))
    beside = _log_beside(report)
    if beside is not None:
        with suppress(DataError):  # nobody asked for it
            logs.setdefault(BESIDE, read_log(beside))
    indices: dict[int | str, int] = {}
    for name, index in report.pictures.items():
        if index != "auto":
            indices[name] = index
            continue
        if dataset.labels is None:
            complaints.append(
                report.complaint(
                    ("images", name), "auto needs labels, which this data has not; give an index"
                )
            )
            continue
        values = probabilities(dataset, network, store, advance)
        chosen = median_correct(values, dataset.labels, int(name))
        if chosen is None:
            complaints.append(
                report.complaint(
                    ("images", name),
                    f"the network classifies no picture of class {name} correctly, "
                    "so auto has nothing to choose; give an index",
                )
            )
        else:
            indices[name] = chosen
    if complaints:
        raise ReportError(complaints)
    return Ground(
        dataset, splits, network.fingerprint, indices, logs, report.seed, network.precision
    )


def analysis_parts(report: Report) -> Iterable[Part]:
    """All parts that something is computed for."""
    for question in report.questions:
        for part in question.answer:
            if part.analysis not in WRITTEN:
                yield part


def mislabelled(ground: Ground) -> list[str]:
    """Sentences about pictures listed under a class that is not theirs."""
    labels, found = ground.dataset.labels, []
    if labels is not None:
        for name, index in ground.indices.items():
            if isinstance(name, int) and int(labels[index]) != name:
                found.append(
                    f"images.{name}: picture {index} is labelled {int(labels[index])}, not {name}"
                )
    return found


def near_chance(values: np.ndarray, labels: np.ndarray) -> str | None:
    """A warning where the accuracy cannot be told from guessing (three standard errors)."""
    classes, count = values.shape[1], len(labels)
    accuracy = float((values.argmax(1) == labels).mean())
    chance = max(1 / classes, float(np.bincount(labels).max() / count))
    if classes < 2 or count < 30 or accuracy > chance + 3 * (chance * (1 - chance) / count) ** 0.5:
        return None
    return (
        f"accuracy is {accuracy:.1%}, near chance: the usual causes are `scale`, `mean` and "
        "`std` other than in training, classes in another order, or other weights"
    )


def _check_pictures(report: Report, dataset: Dataset) -> Iterable[Complaint]:
    last, classes = len(dataset) - 1, len(dataset.classes)
    for name, index in report.pictures.items():
        where = ("images", name)
        if index is None:  # complained about already
            continue
        if isinstance(name, int) and not 0 <= name < classes:
            yield report.complaint(
                where,
                f"there is no class {name}; expected 0 to {classes - 1}, "
                "or a free name that is not a number",
            )
        elif index == "auto" and not isinstance(name, int):
            yield report.complaint(
                where, "auto chooses by class, and a free name has none; give an index"
            )
        elif index != "auto" and not 0 <= index <= last:
            yield report.complaint(
                where, f"there is no picture {index}; the split {dataset.split!r} has 0 to {last}"
            )


def _check_layers(part: Part, report: Report, facts: Facts) -> Iterable[Complaint]:
    shapes, options = facts.shapes(), part_options(part)
    for name in options.layers():
        where = (*part.where, part.analysis, "layer")
        if name not in shapes:
            close = difflib.get_close_matches(name, shapes, 1, 0.5)
            hint = f" (did you mean {close[0]}?)" if close else ""
            yield report.complaint(
                where,
                f"the network has no layer {name!r}; it has "
                f"{_shortened([row['name'] for row in facts.layers])}{hint}",
            )
            continue
        channels = shapes[name][0] if shapes[name] else 1
        first, named = getattr(options, "first", None), getattr(options, "channels", None)
        if isinstance(named, list | tuple) and named and max(named) >= channels:
            yield report.complaint(
                (*part.where, part.analysis, "channels"),
                f"{name} has channels 0 to {channels - 1}; found {max(named)}",
            )
        elif not named and isinstance(first, int) and first > channels:
            yield report.complaint(
                (*part.where, part.analysis, "first"),
                f"{name} has {channels} channels; found {first}",
            )


def _check_target(part: Part, report: Report, classes: int) -> Iterable[Complaint]:
    target = getattr(part.options, "target", None)
    if isinstance(target, int) and not 0 <= target < classes:
        yield report.complaint(
            (*part.where, part.analysis, "target"),
            f"there is no class {target}; expected 0 to {classes - 1}, true or predicted",
        )


def _shortened(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (
        f" … ({len(names)} in all; see `fervis layers`)" if len(names) > most else ""
    )


def log_files(report: Report) -> list[Path]:
    """The training logs that a report reads, and the one beside its weights."""
    named = (
        _log_path(part, report)
        for part in analysis_parts(report)
        if REGISTRY[part.analysis].SCOPE == "log"
    )
    paths = dict.fromkeys((*named, _log_beside(report)))
    return [path for path in paths if path is not None and path.is_file()]


def _log_path(part: Part, report: Report) -> Path | None:
    named = getattr(part.options, "log", None)
    return _log_beside(report) if named is None else report.folder / Path(named)


def _log_beside(report: Report) -> Path | None:
    model = model_options(report)
    if model.factory is None:
        return DEFAULT_LOG if DEFAULT_LOG.exists() else None
    if model.weights is not None:
        beside = report.folder / model.weights.parent / "log.csv"
        return beside if beside.exists() else None
    return None
