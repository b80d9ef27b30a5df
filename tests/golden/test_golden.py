"""Sites of stored arrays say what they said; `python -m tests.golden` says it anew."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fervis.engine.run import run
from tests.golden import default
from tests.golden.small import EXPECTED, written

LOOK = "look, then run python -m tests.golden"


def _changes(kept: Path, fresh: dict[str, str]) -> Iterator[str]:
    for name, text in fresh.items():
        before, after = (kept / name).read_text("utf-8").splitlines(), text.splitlines()
        if before != after:
            yield from list(difflib.unified_diff(before, after, name, name, lineterm="", n=0))[:20]


def test_the_site_of_stored_arrays_is_the_one_that_was_looked_at() -> None:
    fresh = {name: content.decode() for name, content in written().items()}
    assert sorted(fresh) == sorted(path.name for path in EXPECTED.iterdir())
    changed = list(_changes(EXPECTED, fresh))
    assert not changed, "\n".join([LOOK, *changed])


def test_the_default_report_is_the_one_that_was_looked_at(default_site: Path) -> None:
    fresh = default.written(default_site)
    assert sorted(fresh) == sorted(path.name for path in default.EXPECTED.iterdir())
    before = (default.EXPECTED / "files.txt").read_text("utf-8")
    changed = list(default.differences(before, fresh.pop("files.txt")))
    changed += _changes(default.EXPECTED, fresh)
    assert not changed, "\n".join([LOOK, *changed[:100]])


def test_what_is_stored_of_the_default_report_is_what_is_computed(tmp_path: Path) -> None:
    """The quick analyses; filters and LIME, which take a minute, have tests of their own."""
    now = default.standing(tmp_path)
    opened = now.opened
    quick = ("predictions", "saliency", "gradcam", "activations")
    tasks = {name: task for name, task in now.tasks.items() if task.analysis in quick}
    answers = run(list(tasks.values()), now.ground, opened.network, opened.store, lambda *_: None)
    assert not answers.failures
    with np.load(default.ARRAYS) as stored:
        for name, task in tasks.items():
            for key, found in answers.result(task).arrays.items():
                kept = stored[f"{name}/{key}"]
                near = 2e-3 * float(np.abs(found).max(initial=0)) if found.dtype.kind == "f" else 0
                np.testing.assert_allclose(kept, found, rtol=2e-3, atol=near, err_msg=name)


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("a.png L 4×4 0a0b", "a.png L 4×4 0c0a", False),
        ("a.png L 4×4 0a0b", "a.png L 4×4 0a30", True),
        ("a.png L 4×4 0a0b", "a.png L 4×5 0a0b", True),
        ("a.html 0123456789abcdef", "a.html 0123456789abcdee", True),
        ("a.csv 12 lines", "a.csv 13 lines", True),
        ("a.csv 12 lines", "b.csv 12 lines", True),
    ],
)
def test_of_pictures_only_what_can_be_seen_counts(old: str, new: str, seen: bool) -> None:
    assert bool(list(default.differences(f"{old}\n", f"{new}\n"))) is seen
