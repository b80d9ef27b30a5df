"""Complaints are gathered here, each with its place, and raised all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from fervis.errors import Complaint, ReportError
from fervis.spec.phrases import did_you_mean, printable
from fervis.spec.report import Path_, dotted

MOST = 100  # complaints shown of one file; a broken file can have thousands
LONGEST = 2000  # characters of one complaint


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


def _in_order(complaint: Complaint) -> tuple[bool, str, float, int]:
    """The file's by line and column, what is about no line last; then those of the command line."""
    told = complaint.file.startswith("--set")
    return told, complaint.file, complaint.line or float("inf"), complaint.column


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

    def raise_if_any(self, more: Iterable[Complaint] = ()) -> None:
        """Raises ReportError with all complaints, and ``more`` of them, sorted by place.

        Of ``more`` a complaint about a place already complained about is left out.
        """
        own = self._sorted()
        places = {(each.file, each.line, each.column) for each in own}
        others = [each for each in more if (each.file, each.line, each.column) not in places]
        if own or others:
            raise ReportError(sorted([*own, *others], key=_in_order))

    def _sorted(self) -> list[Complaint]:
        unique = list(dict.fromkeys(self._entries))
        unique.sort(key=lambda entry: (entry.place.override, entry.place.line, entry.place.column))
        shown = [self._complaint(entry) for entry in unique[:MOST]]
        if len(unique) > MOST:
            shown.append(Complaint(f"and {len(unique) - MOST} more complaints", self.file))
        return shown

    def _complaint(self, entry: _Entry) -> Complaint:
        text, path = printable(entry.text, LONGEST), dotted(entry.path)
        if entry.place.override:
            return Complaint(text, f"--set {printable(entry.place.override)}", path=path)
        return Complaint(text, self.file, entry.place.line, entry.place.column, path)
