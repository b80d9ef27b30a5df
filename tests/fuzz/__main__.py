"""A coverage-guided fuzz run: ``python -m tests.fuzz report --runs 500000``; see README.md."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import atheris

with atheris.instrument_imports(include=["fervis"]):
    from tests.fuzz import targets
from tests.fuzz.corpus import pack, unpack
from tests.fuzz.seeds import SEEDS, words

SECONDS, MEGABYTES = 5, 1024  # an input that takes more is reported as a hang
LONGEST = {"report": 2048, "faces": 400, "log": 400}  # bytes


def main() -> None:
    """Tries inputs on one target, or keeps the fewest of those that were found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=main.__doc__)
    parser.add_argument("target", choices=targets.TARGETS)
    parser.add_argument("--runs", type=int, default=-1, help="inputs to try (default: no end)")
    parser.add_argument("--folder", type=Path, help="where inputs that reach new code are put")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random")
    parser.add_argument("--keep", action="store_true", help="keep the fewest inputs of --folder")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="fervis-fuzz-"))
    if asked.keep:
        keep(asked.target, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    flags = [f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}"]
    flags += [f"-max_len={LONGEST[asked.target]}"]
    unpack(asked.target, folder)
    dictionary = folder.parent / f"{folder.name}.dict"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words(asked.target)))
    flags += [f"-runs={asked.runs}", f"-seed={asked.seed}", f"-dict={dictionary}"]
    flags += [f"-artifact_prefix={folder}.", "-print_final_stats=1", str(folder)]
    mutate = Mutator(words(asked.target), SEEDS[asked.target])
    atheris.Setup([sys.argv[0], *flags], targets.TARGETS[asked.target], custom_mutator=mutate)
    atheris.Fuzz()


def keep(target: str, folder: Path) -> None:
    """Packs inputs of ``folder``, the short ones first, that reach a line none before them did."""
    reached: set[tuple[str, int, int]] = set()
    kept = []
    found = sorted((file.read_bytes() for file in folder.iterdir()), key=lambda each: len(each))
    for content in found:
        steps = _steps(lambda content=content: targets.TARGETS[target](content))
        if not steps <= reached:
            reached |= steps
            kept.append(content)
    pack(target, kept)
    print(f"{target}: {len(kept)} of {len(found)} inputs, {len(reached)} steps of fervis")


def _steps(work: Callable[[], None]) -> set[tuple[str, int, int]]:
    """(file, from line, to line) of every step that ``work`` takes in fervis."""
    found: set[tuple[str, int, int]] = set()
    last: dict[FrameType, int] = {}

    def follow(frame: FrameType, event: str, _: object) -> Any:
        if "fervis/" not in frame.f_code.co_filename or "tests/" in frame.f_code.co_filename:
            return None
        if event == "line":
            found.add((frame.f_code.co_filename, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        return follow

    sys.settrace(follow)
    try:
        work()
    finally:
        sys.settrace(None)
    return found


class Mutator:
    """Half of the mutations are libFuzzer's own; the others know lines, indentation and words."""

    def __init__(self, known: Sequence[bytes], seeds: Sequence[bytes]) -> None:
        self._words = known
        self._lines = [line for seed in seeds for line in seed.splitlines(keepends=True)]

    def __call__(self, content: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311 (no secret)
        if chance.random() < 0.4:
            return bytes(atheris.Mutate(content, longest))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            content = self._changed(content, chance)
        return content[:longest]

    def _changed(self, content: bytes, chance: random.Random) -> bytes:
        lines = content.splitlines(keepends=True) or [b""]
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        line = lines[at]
        where = chance.randrange(len(line) + 1)
        word = chance.choice(self._words)
        match chance.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], line
            case 3:
                lines[at] = (
                    line[1:] if chance.random() < 0.5 else b" " * chance.choice((1, 2)) + line
                )
            case 4:
                lines[at] = line[:where] + word + line[where:]
            case 5:
                lines[at] = self._replaced(line, word, chance)
            case 6:
                lines.insert(at, chance.choice(self._lines))
            case 7:
                lines[at] = line[:where]
            case _:
                lines[at] = self._replaced(line, self._replaced(lines[other], b"", chance), chance)
        return b"".join(lines)

    @staticmethod
    def _replaced(line: bytes, by: bytes, chance: random.Random) -> bytes:
        """``line`` with one stretch between two marks replaced: a key, a value, a cell."""
        marks = [-1, *(n for n, c in enumerate(line) if c in b" :,[]{}'\"=.\n"), len(line)]
        index = chance.randrange(len(marks) - 1)
        return line[: marks[index] + 1] + by + line[marks[index + 1] :]


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
