"""Complaints are gathered here, each with its place, and raised all at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from fervis.errors import Complaint, ReportError
from fervis.spec.report import Path_, dotted

MOST = 100  # complaints shown of one file; a broken file can have thousands
LONGEST_NAME = 60  # no name that people type is longer; difflib is slow on long strings


class Place(NamedTuple):
    """Line and column from 1; of a value given on the command line, its ``--set`` text."""

    line: int
    column: int
    override: str = ""


@dataclass(frozen=True)
class _Entry:
    place: Place
    path: Path_
    text: str


class Complaints:
    """All that is wrong with one file so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._entries: list[_Entry] = []
        self._settled: set[Place] = set()

    def add(self, place: Place, path: Path_, text: str) -> None:
        """``text`` says what is wrong; what is expected."""
        if place not in self._settled:
            self._entries.append(_Entry(place, path, text))

    def settle(self) -> None:
        """From here on one complaint about a place already complained about is enough."""
        self._settled = {entry.place for entry in self._entries}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def hint(self, name: object, known: Iterable[object]) -> str:
        """did_you_mean(), unless there are so many complaints that this one is not shown."""
        return did_you_mean(name, known) if len(self._entries) < MOST else ""

    def raise_if_any(self) -> None:
        """Raises ReportError with all complaints, sorted by place."""
        if self._entries:
            raise ReportError(self._sorted())

    def _sorted(self) -> list[Complaint]:
        unique = list(dict.fromkeys(self._entries))
        unique.sort(key=lambda entry: (entry.place.override, entry.place.line, entry.place.column))
        shown = [
            Complaint(entry.text, f"--set {override}", path=dotted(entry.path))
            if (override := entry.place.override)
            else Complaint(entry.text, self.file, *entry.place[:2], dotted(entry.path))
            for entry in unique[:MOST]
        ]
        if len(unique) > MOST:
            shown.append(Complaint(f"and {len(unique) - MOST} more complaints", self.file))
        return shown


def quoted(text: str) -> str:
    """``text`` in quotes on one line, shortened, with nothing in it that a terminal obeys."""
    if len(text) > LONGEST_NAME:
        text = text[: LONGEST_NAME - 1] + "…"
    safe = "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else ascii(c)[1:-1] for c in text
    )
    return f"'{safe}'"


def listed(names: Iterable[object], word: str = "or") -> str:
    """``a, b or c``; a long list is cut."""
    shown = [str(name) for name in islice(names, 25)]
    if len(shown) > 24:
        shown[23:] = ["others"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """`` (did you mean conv5?)``, or nothing where no known name is near."""
    wanted = str(name)
    if len(wanted) > LONGEST_NAME:
        return ""
    names = {str(candidate).casefold(): str(candidate) for candidate in known}
    near = difflib.get_close_matches(wanted.casefold(), names, n=1, cutoff=0.6)
    return f" (did you mean {names[near[0]]}?)" if near else ""
