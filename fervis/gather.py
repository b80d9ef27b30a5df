"""Gather a Document: every result drawn, every picture named, every failure with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from fervis.analyses import REGISTRY, Context, Options
from fervis.draw.figure import Figure
from fervis.engine import ground as grounds
from fervis.engine import keys
from fervis.engine.network import Network
from fervis.engine.plan import Ground, Task
from fervis.engine.run import Answers, drawn, probabilities
from fervis.engine.store import Store
from fervis.errors import AnalysisError, DiskError, FervisError
from fervis.render.document import Block, Document, Failure, Gallery, NetworkFacts, Picture, Shown
from fervis.spec.report import Report
from fervis.text import message

SMALL_SPLIT = 5000
"""Splits of up to this many pictures are predicted as a whole even if no part needs it."""

IN_MEMORY = 32 << 20
"""Figures of up to so many bytes stay as they are until they are written; others are read again."""

Advance = Callable[[str, int, int], None]


def gather(
    report: Report,
    ground: Ground,
    network: Network,
    store: Store,
    answers: Answers,
    plan: list[list[list[Task]]],
    predictions: Mapping[int | str, Task],
    curves: Sequence[Task],
    advance: Advance,
) -> Document:
    """The whole of what the pages show: results drawn, or the reason why there is none.

    ``plan`` has the tasks of every part of every question, ``predictions`` one a picture,
    ``curves`` those that no part asks for: where they fail, nobody misses them.
    """
    dataset, facts = ground.dataset, network.facts()
    failures: list[str] = []
    left = IN_MEMORY
    drawing = {
        room: keys.source_digest(str(Path(__file__).parent / room)) for room in ("draw", "analyses")
    }

    def whole(task: Task) -> Figure:
        return drawn(task, answers, _context(task, ground, facts.shapes()), drawing)

    def shown(task: Task) -> Shown:
        nonlocal left
        try:
            figure = whole(task)
            left -= figure.size
            if left >= 0:
                return Shown(figure, task.picture)
            return Shown(figure.in_words(), task.picture, whole=partial(whole, task))
        except (DiskError, OSError):
            raise
        except FervisError as error:
            reason = str(error)
        except Exception as error:  # a library may stumble over numbers that nobody thought of
            reason = f"cannot be drawn: {type(error).__name__}: {error}"
        failures.append(f"{task.title}: {reason}")
        return Shown(
            None,
            task.picture,
            Failure(message("{analysis} could not be computed.", analysis=task.analysis), reason),
        )

    blocks = tuple(
        tuple(
            Block(part, tuple(shown(task) for task in tasks))
            for part, tasks in zip(question.answer, row, strict=True)
        )
        for question, row in zip(report.questions, plan, strict=True)
    )
    missed = len(failures)
    training = [one for one in map(shown, curves) if one.figure]
    del failures[missed:]
    pictures = {}
    for name, task in predictions.items():
        index = ground.indices[name]
        pictures[name] = Picture(
            name,
            index,
            dataset.images[index],
            None if dataset.labels is None else int(dataset.labels[index]),
            None
            if task.key in answers.failures
            else answers.result(task).arrays["probabilities"].astype("float32"),
        )
    accuracy, gallery = None, None
    if dataset.labels is not None and _worth_predicting(report, ground):
        try:
            values = probabilities(dataset, network, store, advance)
            accuracy = float((values.argmax(1) == dataset.labels).mean())
            gallery = Gallery(dataset.images, dataset.labels, values)
        except AnalysisError as error:  # one picture the network cannot stand
            failures.append(f"accuracy: {error}")
    model = grounds.model_options(report)
    return Document(
        report=report,
        classes=dataset.classes,
        split=dataset.split,
        dataset=grounds.data_options(report).title,
        dataset_size=len(dataset),
        pictures=pictures,
        answers=blocks,
        network=NetworkFacts(
            model.factory or message("fervis' own network"),
            facts.layers,
            facts.parameters,
            facts.explains,
            network.fingerprint,
            facts.warnings,
        ),
        accuracy=accuracy,
        versions=dict(keys.versions()),
        failures=tuple(failures),
        gallery=gallery,
        training=tuple(training),
    )


def _context(task: Task, ground: Ground, shapes: Mapping[str, tuple[int, ...]]) -> Context:
    options: Options = task.options
    return Context(
        classes=ground.dataset.classes,
        split=task.split,
        seed=ground.seed,
        image=None if task.index is None else ground.dataset.images[task.index],
        name="" if task.picture is None else str(task.picture),
        index=task.index,
        label=task.label,
        layers={name: shapes[name] for name in options.layers() if name in shapes},
    )


def _worth_predicting(report: Report, ground: Ground) -> bool:
    """Whether it costs little, or has been done already for a part about the whole split."""
    return len(ground.dataset) <= SMALL_SPLIT or any(
        REGISTRY[part.analysis].SCOPE == "split"
        and getattr(part.options, "split", None) in (None, ground.dataset.split)
        for part in grounds.analysis_parts(report)
    )


def doubts_of_accuracy(
    report: Report, ground: Ground, network: Network, store: Store, advance: Advance
) -> tuple[str, ...]:
    """A warning where the network is no better than guessing on the split, as far as known."""
    labels = ground.dataset.labels
    if labels is None or not _worth_predicting(report, ground):
        return ()
    try:
        values = probabilities(ground.dataset, network, store, advance)
    except AnalysisError:  # a failure of this build already
        return ()
    warning = grounds.near_chance(values, labels)
    return (warning,) if warning else ()
