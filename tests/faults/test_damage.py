"""A stored result that is not what was written is named, computed again, and never shown."""

from __future__ import annotations

import shutil

import pytest

from fervis import pipeline
from tests.faults.conftest import files


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        flipped,
        lambda content: b"",
        lambda content: content.replace(b"fervis entry 1", b"fervis entry 9", 1),
        lambda content: b"\0" * len(content),
    ],
    ids=["half", "one byte less", "one bit flipped", "emptied", "another version", "zeroed"],
)
def test_a_damaged_result_is_named_and_computed_again(project, damage):
    pipeline.build(project, pdf=False)
    site, cache = project.parent / "site", project.parent / ".fervis"
    before = files(site)
    stored = sorted(path for path in (cache / "results").rglob("*") if path.is_file())
    for path in stored:
        path.write_bytes(damage(path.read_bytes()))
    shutil.rmtree(cache / "builds")
    outcome = pipeline.build(project, pdf=False)
    told = " ".join(outcome.warnings)
    read = [path for path in stored if str(path) in told]
    assert len(read) >= 8, "the results of four pictures and two analyses are named"
    assert len(outcome.computed) >= 8
    assert files(site) == before


@pytest.mark.parametrize("room", ["data", "render", "builds"])
def test_other_files_of_the_cache_may_be_damaged_too(project, room):
    pipeline.build(project, pdf=False)
    before = files(project.parent / "site")
    for path in (project.parent / ".fervis" / room).rglob("*"):
        if path.is_file():
            path.write_bytes(flipped(path.read_bytes()) if path.stat().st_size else b"x")
    shutil.rmtree(project.parent / "site")
    assert pipeline.build(project, pdf=False).published
    assert files(project.parent / "site") == before
