"""Work in a forked child: its answer, its failures, and its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fervis.forked import FORKS, Forked

pytestmark = pytest.mark.skipif(not FORKS, reason="only on Linux does fervis fork")


def test_the_child_answers_with_what_its_work_gives() -> None:
    wide = np.arange(200_000).reshape(2, -1)  # more than a pipe holds

    def work() -> tuple[int, np.ndarray]:
        return os.getpid(), wide * 2

    with Forked(work) as child:
        answer = child.answer()
    assert answer is not None
    assert answer[0] != os.getpid()
    np.testing.assert_array_equal(answer[1], wide * 2)


def test_several_work_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for a file that the other writes."""

    def work(name: str, other: str) -> str:
        (tmp_path / name).touch()
        while not (tmp_path / other).exists():
            time.sleep(0.005)
        return name

    with Forked(partial(work, "a", "b")) as a, Forked(partial(work, "b", "a")) as b:
        assert (a.answer(), b.answer()) == ("a", "b")


@pytest.mark.parametrize(
    "work",
    [
        lambda: 1 // 0,
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os._exit(0),
        lambda: lambda: None,  # cannot be pickled
        lambda: sys.exit(0),
    ],
    ids=["raises", "killed", "silent", "unpicklable", "exits"],
)
def test_work_that_fails_has_no_answer(work) -> None:
    with Forked(work) as child:
        assert child.answer() is None
        assert child.answer() is None


def test_a_child_that_takes_too_long_is_not_waited_for() -> None:
    with Forked(partial(time.sleep, 600)) as child:
        assert child.answer(patience_s=0.05) is None


def test_an_unwanted_child_ends_with_the_context() -> None:
    with Forked(partial(time.sleep, 600)) as child:
        number = child._child
    assert number is not None
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(child._reading)
