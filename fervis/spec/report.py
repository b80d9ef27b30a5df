"""The typed, frozen report: what report.yaml says once it has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from fervis.errors import Complaint
from fervis.spec.phrases import printable
from fervis.text import Text

Path_ = tuple[str | int, ...]
"""Where in the file: ("questions", 1, "answer", 0, "filters", "layer")."""

Verdict = Literal["right", "partly", "wrong"]


def dotted(where: Path_) -> str:
    """``questions[1].answer[0].filters.layer``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{printable(step)}" for step in where)
    return "".join(steps).removeprefix(".")


@dataclass(frozen=True)
class Note:
    """The author's observation of one picture, with a verdict on where the network looked."""

    text: Text
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Part:
    """One part of an answer: an analysis with its options, or ``text`` or ``math`` alone.

    ``analysis`` is a name in the registry, or "text" (``text`` is set) or "math" (``latex``).
    ``notes`` keep the author's order; ``text`` beside an analysis is for all its pictures.
    """

    analysis: str
    where: Path_
    options: BaseModel | None = None
    text: Text | None = None
    latex: str = ""
    title: Text | None = None
    notes: tuple[tuple[int | str, Note], ...] = ()


@dataclass(frozen=True)
class Question:
    """One question of the homework."""

    title: Text
    answer: tuple[Part, ...]
    points: float | None = None
    tag: Text | None = None
    collaborators: Text | None = None
    ask: Text | None = None


@dataclass(frozen=True)
class Reference:
    """One entry of the reference list; ``key`` is what ``[@key]`` in a text links to."""

    text: Text
    key: str = ""
    url: str = ""


@dataclass(frozen=True)
class Report:
    """A whole report. ``pictures`` maps class numbers and free names to an index or "auto".

    ``lines`` says where each value stands in the file (line and column from 1), ``overridden``
    which values came from the command line instead, and as what.
    """

    file: Path
    title: Text
    languages: tuple[str, ...]
    author: tuple[tuple[Text, Text], ...]
    data: BaseModel
    data_kind: str
    model: BaseModel
    pictures: Mapping[int | str, int | Literal["auto"]]
    questions: tuple[Question, ...]
    references: tuple[Reference, ...] = ()
    date: str = ""
    seed: int = 0
    lines: Mapping[Path_, tuple[int, int]] = field(default_factory=dict, repr=False)
    overridden: Mapping[Path_, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """What relative paths in the file start from."""
        return self.file.parent

    def complaint(self, where: Path_, text: str) -> Complaint:
        """A complaint about a place in the file, with the nearest line and column known."""
        known = where
        while known and known not in self.lines and known not in self.overridden:
            known = known[:-1]
        if known in self.overridden:
            source = f"--set {printable(self.overridden[known])}"
            return Complaint(text, source, path=dotted(where))
        line, column = self.lines.get(known, (0, 0))
        return Complaint(text, self.file.name, line, column, dotted(where))
