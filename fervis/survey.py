"""Look at a report without building it: check, explain, list layers, score, pick pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fervis.analyses import REGISTRY, Subjects
from fervis.cache import cache_folder
from fervis.data.dataset import Dataset
from fervis.engine import ground as grounds
from fervis.engine import keys, stamp
from fervis.engine.network import Network
from fervis.engine.plan import tasks_of
from fervis.engine.run import probabilities
from fervis.engine.store import Store
from fervis.errors import DataError, FervisError, ReportError
from fervis.pipeline import load
from fervis.render import template_folders
from fervis.render.pick import write_pick_page
from fervis.spec.report import Report

Advance = Callable[[str, int, int], None]


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Opened:
    """A report with its data and network at hand; nothing has been computed."""

    report: Report
    cache: Path
    store: Store
    dataset: Dataset
    network: Network


def open_report(
    file: str | Path = "report.yaml",
    *,
    cache: Path | None = None,
    overrides: Sequence[str] = (),
    split: str | None = None,
) -> Opened:
    """Reads a report and opens its data (``split``: another one than the report's)."""
    file = Path(file).absolute()
    folder = cache_folder(file, cache)
    report = load(file, folder, overrides)
    dataset = grounds.open_data(report, folder, split)
    store = Store(folder / "results")
    network = Network(grounds.model_options(report), report.folder, len(dataset.classes), store)
    return Opened(report, folder, store, dataset, network)


def validate(
    file: str | Path = "report.yaml", *, cache: Path | None = None, overrides: Sequence[str] = ()
) -> Report:
    """Checks a report as build() does, and computes nothing. Raises ReportError."""
    opened = open_report(file, cache=cache, overrides=overrides)
    if complaints := grounds.check(opened.report, opened.dataset, opened.network):
        raise ReportError(complaints)
    return opened.report


def reasons(
    file: str | Path = "report.yaml",
    *,
    out: Path | None = None,
    cache: Path | None = None,
    overrides: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """For every task of a report: "stored", or which part of its key is new since the last build.

    Computes nothing but the split's probabilities where ``auto`` needs them.
    """
    opened = open_report(file, cache=cache, overrides=overrides)
    if complaints := grounds.check(opened.report, opened.dataset, opened.network):
        raise ReportError(complaints)
    site = (out or opened.report.folder / "site").absolute()
    ground = grounds.stand(
        opened.report, opened.dataset, opened.network, opened.cache, opened.store, _silent
    )
    last = stamp.read(stamp.stamp_path(opened.cache, site))
    known = last.tasks if last else {}
    found = []
    for part in grounds.analysis_parts(opened.report):
        for task in tasks_of(part, opened.report, ground):
            before = known.get(task.title)
            changed = sorted(k for k, v in task.parts.items() if before and before.get(k) != v)
            if opened.store.has(task.key):
                reason = "stored"
            elif before is None:
                reason = "to compute: new"
            elif changed:
                reason = f"to compute: {', '.join(changed)} changed"
            else:
                reason = "to compute: its stored result is gone"
            found.append((task.title, reason))
    return found


def evaluate(
    file: str | Path = "report.yaml",
    *,
    split: str | None = None,
    cache: Path | None = None,
    overrides: Sequence[str] = (),
    language: str = "en",
) -> dict[str, Any]:
    """Accuracy with its 95 % bootstrap interval, and precision, recall, F1 and support by class.

    Raises DataError where the split has no labels.
    """
    opened = open_report(file, cache=cache, overrides=overrides, split=split)
    data = opened.dataset
    if data.labels is None:
        raise DataError(f"the split {data.split!r} has no labels, so nothing can be scored")
    values = probabilities(data, opened.network, opened.store, _silent)
    confusion = REGISTRY["confusion"]
    subjects = Subjects(
        data.images[:0], data.labels, (keys.generator(opened.report.seed, "confusion"),), values
    )
    result = confusion.compute(None, subjects, confusion.Options())[0]
    names = [text.in_language(language) for text in data.classes]
    return {
        "split": data.split,
        "pictures": len(data),
        **result.numbers,
        "classes": [
            {
                "name": name,
                **{
                    key: None if array[row] != array[row] else float(array[row])
                    for key, array in result.arrays.items()
                    if array.shape == (len(names),)
                },
            }
            for row, name in enumerate(names)
        ],
        "confusion": result.arrays["counts"].astype(int).tolist(),
    }


def pick(
    file: str | Path,
    out: Path,
    *,
    split: str | None = None,
    cache: Path | None = None,
    overrides: Sequence[str] = (),
    advance: Advance = _silent,
) -> int:
    """Writes one self-contained page with every picture of a split; returns their number."""
    opened = open_report(file, cache=cache, overrides=overrides, split=split)
    values = probabilities(opened.dataset, opened.network, opened.store, advance)
    write_pick_page(
        opened.dataset,
        values,
        out,
        language=opened.report.languages[0],
        templates=template_folders(opened.report.folder),
    )
    return len(opened.dataset)


def may_be_published(file: str | Path, *, cache: Path | None = None) -> tuple[bool, str]:
    """Whether the data's pictures may be passed on in bulk, and a clause that says why not.

    Data that cannot be looked at may not.
    """
    file = Path(file).absolute()
    folder = cache_folder(file, cache)
    report = load(file, folder)
    try:
        dataset = grounds.open_data(report, folder)
    except FervisError:
        return False, "the data cannot be read here to see whether it may be published"
    if dataset.redistributable:
        return True, ""
    if grounds.data_options(report).redistributable is False:
        return False, f"{file.name} says that this data is not redistributable"
    return False, dataset.licence.rstrip(".") or (
        f"nothing says that this data ({report.data_kind}) may be passed on "
        "(`redistributable: true` under `data:` would)"
    )


def doubts(file: str | Path, site: Path, *, cache: Path | None = None) -> list[str]:
    """Sentences about a built site that may not be what its author wants to publish."""
    file = Path(file).absolute()
    last = stamp.read(stamp.stamp_path(cache_folder(file, cache), site.absolute()))
    if last is None or last.files != stamp.files_of(site):
        return ["the site is not what a whole build left here: parts failed, or it was changed"]
    keys.source_digest.cache_clear()
    if last.ingredients.get("report") != keys.source_digest(str(file)):
        return [f"{file.name} was changed after the site was built; `fervis build` first"]
    return []
