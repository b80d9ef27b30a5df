"""A build over many pictures: it goes on where it was stopped, and its results leave the memory."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from fervis import pipeline, survey
from fervis.analyses import REGISTRY
from fervis.engine.ground import stand
from fervis.engine.plan import image_task
from fervis.engine.run import run
from tests.faults.conftest import edit, kept
from tests.project import pictures

MANY = 300


@pytest.fixture
def many(built, tmp_path):
    """The small project with three hundred pictures in the report, nothing computed."""
    return of_pictures(MANY, built, tmp_path)


def of_pictures(count, built, folder):
    shutil.copytree(built.parent, folder / "many", ignore=shutil.ignore_patterns(".fervis"))
    images, labels = pictures(count)
    np.savez(folder / "many" / "pictures.npz", test_images=images, test_labels=labels)
    file = folder / "many" / "report.yaml"
    listed = "".join(f"  p{index}: {index}\n" for index in range(count))
    edit(file, "  extra: 3\n", f"  extra: 3\n{listed}")
    return file


def test_a_build_of_many_pictures_goes_on_where_it_was_killed(many, start):
    results = many.parent / ".fervis" / "results"
    process = start(many)
    while process.poll() is None and len(kept(results)) < MANY // 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = kept(results)
    outcome = pipeline.build(many, pdf=False)
    assert outcome.published
    assert outcome.stored >= MANY // 2 - 1  # the facts about the network are no task
    assert outcome.stored + len(outcome.computed) == 3 * MANY
    assert outcome.computed
    after = kept(results)
    assert {path: after[path] for path in finished} == finished, "computed once more"


def test_the_results_of_many_pictures_do_not_stay_in_memory(many):
    opened = survey.open_report(many)
    report, network, store = opened.report, opened.network, opened.store
    ground = stand(report, opened.dataset, network, opened.cache, store, lambda *_: None)
    options = REGISTRY["saliency"].Options()
    names = [name for name in ground.indices if str(name).startswith("p")]
    tasks = [image_task("saliency", options, name, ground) for name in names]
    run(tasks[:4], ground, network, store, lambda *_: None)
    held = []
    gc.collect()
    tracemalloc.start()
    try:
        for part in (tasks[4:68], tasks[68:]):
            before = tracemalloc.get_traced_memory()[0]
            answers = run(part, ground, network, store, lambda *_: None)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0] - before)
            assert len(answers.computed) == len(part)
    finally:
        tracemalloc.stop()
    arrays = answers.result(tasks[-1]).arrays.values()
    assert (held[1] - held[0]) / (len(tasks) - 132) < sum(a.nbytes for a in arrays) / 4, held


def test_the_figures_of_many_pictures_do_not_stay_in_memory(built, tmp_path, monkeypatch):
    count, size = 60, 1 << 21
    file = of_pictures(count, built, tmp_path)
    drawn = REGISTRY["saliency"].draw

    def large(*arguments):
        figure = drawn(*arguments)
        first, *others = figure.panels
        return replace(figure, panels=(replace(first, png=bytes(size)), *others))

    monkeypatch.setattr(REGISTRY["saliency"], "draw", large)
    pipeline.build(file, pdf=False)
    edit(file, "Explaining expressions", "Expressions explained")
    gc.collect()
    tracemalloc.start()
    try:
        outcome = pipeline.build(file, pdf=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.published
    assert not outcome.computed
    assert peak < count * size / 2
