"""Writes tests/golden/expected anew: python -m tests.golden, then look at the difference."""

from __future__ import annotations

from tests.golden.small import EXPECTED, written

if __name__ == "__main__":
    EXPECTED.mkdir(exist_ok=True)
    fresh = written()
    for old in EXPECTED.iterdir():
        if old.name not in fresh:
            old.unlink()
    for name, content in fresh.items():
        (EXPECTED / name).write_bytes(content)
