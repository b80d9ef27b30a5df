"""What fuzz runs found worth keeping goes through every reader again."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import inputs
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_that_fuzzing_kept_end_as_documented(target: str) -> None:
    kept = inputs(target)
    assert len(kept) > 10
    for content in kept:
        TARGETS[target](content)


def test_a_target_notices_an_undocumented_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import targets

    def fail(*_: object, **__: object) -> None:
        raise KeyError("not documented")

    monkeypatch.setattr(targets.specification, "load", fail)
    monkeypatch.setattr(targets, "read_log", fail)
    monkeypatch.setattr(targets.fer2013, "read", fail)
    for target in TARGETS.values():
        with pytest.raises(KeyError):
            target(b"version: 1")
