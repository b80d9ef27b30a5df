"""The site of stored arrays says what it said; `python -m tests.golden` says it anew."""

from __future__ import annotations

import difflib

from tests.golden.small import EXPECTED, written


def test_the_site_of_stored_arrays_is_the_one_that_was_looked_at() -> None:
    fresh = written()
    assert sorted(fresh) == sorted(path.name for path in EXPECTED.iterdir())
    changed = []
    for name, content in fresh.items():
        before = (EXPECTED / name).read_text("utf-8").splitlines()
        after = content.decode().splitlines()
        if before != after:
            changed += list(difflib.unified_diff(before, after, name, name, lineterm="", n=0))[:20]
    assert not changed, "\n".join(["look, then run python -m tests.golden", *changed])
