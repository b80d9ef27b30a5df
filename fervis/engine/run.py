"""Compute what is missing: all missing pictures of one analysis go through the network together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from fervis.analyses import REGISTRY, Context, Result, Subjects
from fervis.data.dataset import Dataset
from fervis.draw.figure import Figure
from fervis.engine import keys
from fervis.engine.ahead import Ahead
from fervis.engine.figures import from_entry, to_entry
from fervis.engine.network import Network
from fervis.engine.plan import Ground, Task, log_name, split_of
from fervis.engine.store import Entry, Store
from fervis.errors import AnalysisError, DiskError, FervisError

BATCH = 64
"""Pictures handed to an analysis at once; results are stored after each batch."""

Advance = Callable[[str, int, int], None]


@dataclass
class Answers:
    """What a run had: tasks with a result, and by task key why there is none.

    Results stay in the store until they are asked for, so that a thousand pictures need no more
    memory than ten.
    """

    store: Store
    failures: dict[str, str] = field(default_factory=dict)
    computed: list[Task] = field(default_factory=list)
    stored: list[Task] = field(default_factory=list)

    def result(self, task: Task) -> Result:
        """The result of ``task``. Raises AnalysisError if there is none."""
        if task.key in self.failures:
            raise AnalysisError(self.failures[task.key])
        entry = self.store.get(task.key)
        if entry is None:
            raise AnalysisError(
                "its stored result is gone again; is something emptying the cache? Build once more"
            )
        return Result(entry.arrays, entry.meta["numbers"])


def run(
    tasks: Sequence[Task], ground: Ground, network: Network, store: Store, advance: Advance
) -> Answers:
    """Results of all tasks, from the store where they are known; failures never stop the rest."""
    answers = Answers(store)
    missing: list[Task] = []
    for task in {task.key: task for task in tasks}.values():
        entry = store.get(task.key)
        if entry is None:
            missing.append(task)
        else:
            answers.stored.append(task)
    # Stable: groups come in the order of the report, so do results and progress.
    order = {task.key: place for place, task in enumerate(missing)}
    groups: dict[tuple[str, str, str], list[Task]] = {}
    for task in missing:
        options = keys.digest(task.options.numbers_decided_by())
        groups.setdefault((task.analysis, options, task.split), []).append(task)
    batches = [
        list(_batches(sorted(group, key=lambda task: order[task.key]))) for group in groups.values()
    ]
    with Ahead([parts[0] for parts in batches], partial(_pictures, ground.dataset)) as ahead:
        if any(task.scope in ("image", "network") for task in missing) and not network.loaded:
            advance("load", 0, 1)
            with contextlib.suppress(Exception):  # every task that needs it will say so
                network.classifier()
        work = _Work(ground, network, store, ahead)
        for parts in batches:
            name, done, count = parts[0][0].analysis, 0, sum(map(len, parts))
            advance(name, done, count)
            for batch in parts:
                for task, outcome in _outcomes(batch, work):
                    if isinstance(outcome, str):
                        answers.failures[task.key] = outcome
                    else:
                        store.put(task.key, _entry(task, outcome))
                        answers.computed.append(task)
                    done += 1
                advance(name, done, count)
    return answers


@dataclass(frozen=True)
class _Work:
    """What results are computed from."""

    ground: Ground
    network: Network
    store: Store
    ahead: Ahead


def _entry(task: Task, result: Result) -> Entry:
    # Row by row in memory, as arrays come back from the store: same downloads, same bytes.
    arrays = {name: np.ascontiguousarray(array) for name, array in result.arrays.items()}
    return Entry(arrays, {"numbers": dict(result.numbers), "parts": dict(task.parts)}, {})


def _indices(tasks: Sequence[Task]) -> list[int]:
    return [task.index for task in tasks if task.index is not None]


def _pictures(data: Dataset, tasks: Sequence[Task]) -> NDArray[np.uint8]:
    """The pictures of tasks of scope "image": (N, H, W, C)."""
    return np.ascontiguousarray(data.images[_indices(tasks)])


def _batches(group: Sequence[Task]) -> Iterator[list[Task]]:
    for _, part in groupby(enumerate(group), key=lambda pair: pair[0] // BATCH):
        yield [task for _, task in part]


def _outcomes(batch: Sequence[Task], work: _Work) -> list[tuple[Task, Result | str]]:
    """Each task with its result or the reason it has none.

    When a batch of several raises, its pictures are tried one by one: a picture the network
    cannot stand must not cost the others their results.
    """
    try:
        return list(zip(batch, _compute(batch, work), strict=True))
    except (KeyboardInterrupt, SystemExit, DiskError):
        raise
    except Exception as error:  # the user's network may raise anything
        if len(batch) > 1:
            return [pair for task in batch for pair in _outcomes([task], work)]
        return [(batch[0], _reason(error))]


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    return str(error) if isinstance(error, FervisError) else f"{type(error).__name__}: {error}"


def _compute(batch: Sequence[Task], work: _Work) -> Sequence[Result]:
    first, ground, network = batch[0], work.ground, work.network
    rngs = tuple(
        keys.generator(ground.seed, task.analysis, str(task.parts.get("picture", "")))
        for task in batch
    )
    empty = np.zeros((0, *ground.dataset.images.shape[1:]), np.uint8)
    if first.scope == "image":
        labels = ground.dataset.labels
        subjects = Subjects(
            _pictures(ground.dataset, batch),
            None if labels is None else labels[_indices(batch)],
            rngs,
            beforehand=work.ahead.of(batch),
        )
    elif first.scope == "split":
        data = split_of(first.options, ground)
        if data.labels is None:
            raise AnalysisError(
                f"the split {data.split!r} has no labels, which {first.analysis} "
                "needs; name a labelled split with `split:`"
            )
        subjects = Subjects(
            empty,
            data.labels,
            rngs,
            probabilities=probabilities(data, network, work.store, lambda *_: None),
        )
    elif first.scope == "log":
        subjects = Subjects(empty, None, rngs, log=ground.logs[log_name(first.options)])
    else:
        subjects = Subjects(empty, None, rngs)
    analysis = REGISTRY[first.analysis]
    classifier = None if first.scope in ("split", "log") else network.classifier()
    results = analysis.compute(classifier, subjects, first.options)
    if first.scope in ("image", "network"):
        for result in results:
            _require_finite(result)
    return results


def _require_finite(result: Result) -> None:
    for name, array in result.arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise AnalysisError(
                f"the network gave NaN or infinity ({name}); check its weights "
                "and the scale, mean and std of its input"
            )


def probabilities(data: Dataset, network: Network, store: Store, advance: Advance) -> np.ndarray:
    """(N, K) float32 probabilities of a whole split, stored as one entry."""
    key = probabilities_key(data, network)
    entry = store.get(key)
    if entry is None:
        advance("probabilities", 0, len(data))
        values = network.classifier().probabilities(data.images)
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
            raise AnalysisError(
                f"the network gave NaN or infinity for picture {bad} of "
                f"{data.split!r}; check its weights and its input scaling"
            )
        entry = Entry({"probabilities": values}, {}, {})
        store.put(key, entry)
        advance("probabilities", len(data), len(data))
    return np.asarray(entry.arrays["probabilities"])


def probabilities_key(data: Dataset, network: Network) -> str:
    """Under which key the probabilities of a split are stored."""
    return keys.digest(
        ["probabilities", 1, data.digest, network.fingerprint, dict(keys.versions())]
    )


def drawn(task: Task, answers: Answers, context: Context, parts: Mapping[str, str]) -> Figure:
    """The figure of a result, from the store where neither numbers nor drawing code changed."""
    if task.key in answers.failures:
        raise AnalysisError(answers.failures[task.key])
    key = keys.digest(
        [
            "figure",
            dict(parts),
            task.key,
            task.options.model_dump(mode="json"),
            _context_digest(context),
        ]
    )
    entry = answers.store.get(key)
    if entry is None:
        figure = REGISTRY[task.analysis].draw(answers.result(task), task.options, context)
        entry = to_entry(figure)
        answers.store.put(key, entry)
    return from_entry(entry)


def _context_digest(context: Context) -> str:
    return keys.digest(
        [
            1,
            [dict(text.by_language) for text in context.classes],
            context.split,
            context.seed,
            context.name,
            context.index,
            context.label,
            {name: list(shape) for name, shape in context.layers.items()},
        ]
    )
