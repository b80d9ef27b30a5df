"""From a report to tasks: what must be known, each with the key under which it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fervis.analyses import REGISTRY, Options
from fervis.analyses._contract import Scope
from fervis.data.dataset import Dataset
from fervis.engine import keys
from fervis.spec.report import Part, Report

WRITTEN = ("text", "math")
"""Parts that the author wrote and nothing computes."""

CURVES = "training"
"""The analysis that the page about the network shows although no part asks for it."""

BESIDE = "None"
"""In ``Ground.logs``: the log that lies beside the weights."""


@dataclass(frozen=True)
class Task:
    """One result to have: an analysis with its options about one subject.

    ``picture`` is a name in ``images:`` for scope "image", else None. ``parts`` are the
    ingredients of the key, by name, so that a rebuild can be explained.
    """

    analysis: str
    options: Options
    scope: Scope
    picture: int | str | None
    index: int | None
    label: int | None
    split: str
    parts: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        """The content key of the result."""
        return keys.digest(dict(self.parts))

    @property
    def title(self) -> str:
        """What a person calls it: "gradcam of picture 4"."""
        return (
            self.analysis if self.picture is None else f"{self.analysis} of picture {self.picture}"
        )


@dataclass(frozen=True)
class Ground:
    """What the tasks stand on: data, network and the indices chosen."""

    dataset: Dataset
    splits: Mapping[str, Dataset]  # the other splits that parts name
    fingerprint: str
    indices: Mapping[int | str, int]
    logs: Mapping[str, Mapping[str, Any]]  # training logs by path, and BESIDE
    seed: int
    precision: str = "auto"


def part_options(part: Part) -> Options:
    """The options of an analysis part, typed."""
    if not isinstance(part.options, Options):
        raise TypeError(f"{part.analysis} carries no analysis options")
    return part.options


def pictures_of(part: Part, report: Report) -> list[int | str]:
    """The pictures a part is about, in order."""
    chosen = part_options(part).selection()
    if chosen is None:
        return []
    if chosen == "all":
        return list(report.pictures)
    if isinstance(chosen, str):
        raise ValueError(f"images: {chosen!r} was not resolved")
    return list(chosen)


def tasks_of(part: Part, report: Report, ground: Ground) -> list[Task]:
    """The tasks of one part; empty for text and formulas."""
    if part.analysis in WRITTEN:
        return []
    scope = REGISTRY[part.analysis].SCOPE
    options = part_options(part)
    if scope == "image":
        return [
            image_task(part.analysis, options, name, ground) for name in pictures_of(part, report)
        ]
    common = _common(part.analysis, options, ground)
    split = ground.dataset.split
    if scope == "split":
        data = split_of(options, ground)
        split = data.split
        common["data"] = data.digest
        common["classes"] = len(data.classes)
    elif scope == "log":
        log = ground.logs[log_name(options)]
        common["log"] = keys.digest({k: v.tolist() for k, v in log.items()})
        del common["network"]
    return [Task(part.analysis, options, scope, None, None, None, split, common)]


def curves_of(report: Report, ground: Ground) -> list[Task]:
    """The curves of the log beside the weights, where there is one and no part shows curves."""
    parts = (part for question in report.questions for part in question.answer)
    if any(part.analysis == CURVES for part in parts) or BESIDE not in ground.logs:
        return []
    return tasks_of(Part(CURVES, (), REGISTRY[CURVES].Options()), report, ground)


def log_name(options: object) -> str:
    """Under which name ``Ground.logs`` has the log of a part."""
    return str(getattr(options, "log", None))


def split_of(options: Options, ground: Ground) -> Dataset:
    """The data set that a split-wide analysis is about."""
    name = getattr(options, "split", None)
    return ground.splits.get(name, ground.dataset) if name else ground.dataset


def image_task(analysis: str, options: Options, name: int | str, ground: Ground) -> Task:
    """The task of one analysis about one picture."""
    index = ground.indices[name]
    data = ground.dataset
    label = None if data.labels is None else int(data.labels[index])
    parts = _common(analysis, options, ground)
    parts["picture"] = keys.array_digest(data.images[index])
    parts["label"] = label
    return Task(analysis, options, "image", name, index, label, data.split, parts)


def _common(analysis: str, options: Options, ground: Ground) -> dict[str, Any]:
    return {
        "analysis": analysis,
        "version": REGISTRY[analysis].VERSION,
        "options": options.numbers_decided_by(),
        "network": ground.fingerprint,
        "seed": ground.seed,
        "precision": [ground.precision, ground.precision == "auto" and keys.native_bfloat16()],
        "libraries": dict(keys.versions()),
    }
