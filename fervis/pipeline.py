"""The whole build, top to bottom: report.yaml → spec → plan → compute → draw → page → publish."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fervis import data, spec
from fervis.analyses import REGISTRY
from fervis.cache import cache_folder
from fervis.engine import ground as grounds
from fervis.engine import keys, stamp
from fervis.engine.network import Network, Precision
from fervis.engine.plan import curves_of, image_task, tasks_of
from fervis.engine.run import run
from fervis.engine.store import Store
from fervis.engine.turn import turn
from fervis.errors import OF_THE_DISK, DiskError, FervisError, ReportError
from fervis.gather import doubts_of_accuracy, gather
from fervis.model.options import ModelOptions
from fervis.publish import require_replaceable, staging, swap
from fervis.render import Presses, render, template_folders
from fervis.spec.report import Report

Advance = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a build did. ``unchanged``: nothing had to be done. Failures say what and why."""

    site: Path
    published: bool
    unchanged: bool = False
    computed: tuple[str, ...] = ()
    stored: int = 0
    operations: int = 0  # of the network for one picture, a multiplication and an addition are two
    pictures: Mapping[int | str, int] = field(default_factory=dict)
    chosen: Mapping[int | str, int] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def load(file: Path, cache: Path, overrides: Sequence[str] = ()) -> Report:
    """Reads a report file. Where it is wrong, ReportError tells of data and network as well."""
    return spec.load(
        file,
        analyses=REGISTRY,
        datasets=data.KINDS,
        model=ModelOptions,
        overrides=overrides,
        also=lambda report: grounds.lacking(report, cache),
    )


def build(
    file: str | Path = "report.yaml",
    *,
    out: Path | None = None,
    cache: Path | None = None,
    overrides: Sequence[str] = (),
    keep_going: bool = False,
    precision: Precision = "auto",
    pdf: bool = True,
    advance: Advance = lambda *_: None,
    presses: Presses | None = None,
) -> Outcome:
    """Builds a report into ``out`` (default: ``site/`` beside the file) and says what it did.

    ``advance(stage, done, total)`` hears of progress. Raises ReportError when the file or what it
    names is wrong, MachineError when the machine lacks something. A failed analysis is no
    exception: it is in ``Outcome.failures``, and the published site stays as it was unless
    ``keep_going``. ``precision`` "float32" forbids bfloat16 also for sampling. Without ``pdf`` the
    site has no PDFs; ``presses`` that were started before set them, and are left to their owner.
    A build of the same site that runs already is waited for.
    """
    file = Path(file).absolute()
    site = (out or file.parent / "site").absolute()
    cache = cache_folder(file, cache)
    advance("check", 0, 1)

    def opened() -> tuple[Report, dict[str, Any], Outcome | None]:
        keys.source_digest.cache_clear()  # files may have changed since the last build from here
        report = load(file, cache, overrides)
        ingredients = _ingredients(report, overrides) | {"precision": precision, "pdf": pdf}
        return report, ingredients, _up_to_date(ingredients, cache, site)

    report, ingredients, known = opened()
    if known:
        return known
    require_replaceable(site)
    try:
        with turn(cache, site, lambda: advance("wait", 0, 1)) as waited:
            if waited:
                report, ingredients, known = opened()
            return known or _built(
                report, ingredients, site, cache, keep_going, precision, pdf, advance, presses
            )
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        needed = f"a build writes into {site}, beside it, and into {cache}"
        raise DiskError.of(error, site, needed) from error


def _up_to_date(ingredients: Mapping[str, Any], cache: Path, site: Path) -> Outcome | None:
    """What there is to say where nothing changed since the last build; else None."""
    last = stamp.read(stamp.stamp_path(cache, site))
    if not last or last.ingredients != ingredients or last.files != stamp.files_of(site):
        return None
    return Outcome(
        site,
        published=True,
        unchanged=True,
        stored=len(last.tasks),
        pictures={int(k) if k.isdecimal() else k: v for k, v in last.pictures.items()},
    )


def _built(
    report: Report,
    ingredients: Mapping[str, Any],
    site: Path,
    cache: Path,
    keep_going: bool,
    precision: Precision,
    pdf: bool,
    advance: Advance,
    started: Presses | None,
) -> Outcome:
    own = nullcontext(started) if started else Presses(len(report.languages) if pdf else 0)
    with own as presses:
        store = Store(cache / "results")
        dataset = grounds.open_data(report, cache)
        network = Network(
            grounds.model_options(report), report.folder, len(dataset.classes), store, precision
        )
        if complaints := grounds.check(report, dataset, network):
            raise ReportError(complaints)
        ground = grounds.stand(report, dataset, network, cache, store, advance)
        plan = [
            [tasks_of(part, report, ground) for part in question.answer]
            for question in report.questions
        ]
        predictions = {
            name: image_task("predictions", REGISTRY["predictions"].Options(), name, ground)
            for name in ground.indices
        }
        curves = curves_of(report, ground)
        tasks = [*(task for question in plan for part in question for task in part), *curves]
        answers = run([*predictions.values(), *tasks], ground, network, store, advance)
        advance("draw", 0, 1)
        document = gather(
            report, ground, network, store, answers, plan, predictions, curves, advance
        )
        failures = document.failures
        publish = keep_going or not failures
        place = site if publish else stamp.draft_path(cache, site)
        with staging(place) as fresh:
            advance("render", 0, 1)
            render(
                document,
                fresh,
                templates=template_folders(report.folder),
                pdf=pdf,
                cache=cache / "render",
                presses=presses,
                last=site,
                made_by=keys.digest([ingredients[name] for name in ("fervis", "templates")]),
            )
            advance("publish", 0, 1)
            swap(fresh, place)
    if publish and not failures:
        stamp.write(
            stamp.stamp_path(cache, site),
            stamp.Stamp(
                ingredients,
                stamp.files_of(site),
                {task.title: dict(task.parts) for task in tasks},
                {str(name): index for name, index in ground.indices.items()},
            ),
        )
    return Outcome(
        site=place,
        published=publish,
        computed=tuple(task.title for task in answers.computed),
        stored=len(answers.stored),
        operations=network.facts().operations,
        pictures=dict(ground.indices),
        chosen={
            name: ground.indices[name] for name, index in report.pictures.items() if index == "auto"
        },
        failures=failures,
        warnings=(
            *network.facts().warnings,
            *grounds.mislabelled(ground),
            *doubts_of_accuracy(report, ground, network, store, advance),
            *(f"a damaged stored result was recomputed: {path}" for path in store.damaged),
        ),
    )


def _ingredients(report: Report, overrides: Sequence[str]) -> dict[str, Any]:
    """All that the site depends on, cheap to find out."""
    from fervis.model.fingerprint import fingerprint

    try:
        network = fingerprint(grounds.model_options(report), report.folder)
    except FervisError as error:
        raise ReportError([report.complaint(("model",), str(error))]) from error
    return {
        "report": keys.source_digest(str(report.file)),
        "overrides": list(overrides),
        "data": data.stamp(grounds.data_options(report), report.folder),
        "network": network,
        "logs": [keys.source_digest(str(path)) for path in grounds.log_files(report)],
        "templates": keys.source_digest(*map(str, template_folders(report.folder))),
        "fervis": keys.source_digest(str(Path(__file__).parent)),
        "libraries": dict(keys.versions()),
        "date": os.environ.get("SOURCE_DATE_EPOCH", ""),
    }
