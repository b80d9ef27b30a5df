"""Which pictures a part shows: names against ``images:``, and ``same as question 3``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from fervis.spec.complaints import Complaints
from fervis.spec.parts import picture_name
from fervis.spec.phrases import listed, quoted
from fervis.spec.report import Part, Path_
from fervis.spec.tree import Node, Pairs, place_of

Name = int | str
Pictures = Mapping[Name, Any]
_SAME = re.compile(r"same as question (\d{1,6})", re.IGNORECASE)
_FARTHEST = 20  # parts from one "same as" to the next


def named(values: Mapping[Name, Any], node: Node | None, complaints: Complaints) -> Pictures:
    """``images:`` with class numbers as numbers; ``auto`` is for classes only.

    A picture whose value was complained about (it is not among ``values``) has its name here too.
    """
    pictures: dict[Name, Any] = {}
    for key, pair in node.pairs.items() if isinstance(node, Pairs) else ():
        name, value = picture_name(key), values.get(key)
        if name in pictures:
            text = f"the picture {name} is written twice; remove one of them"
            complaints.add(pair.place, ("images", key), text)
        elif isinstance(name, int) and name < 0:
            text = "there are no classes below 0; expected a class number, or a name"
            complaints.add(pair.place, ("images", key), text)
        elif isinstance(name, str) and value == "auto":
            text = f"auto chooses a picture of a class, which {quoted(name)} is not"
            complaints.add(pair.node.place, ("images", key), f"{text}; expected an index")
        pictures.setdefault(name, value)
    return pictures


class Selections:
    """Resolves what the parts of all questions show to lists of names."""

    def __init__(
        self,
        answers: Sequence[Sequence[Part | None]],
        pictures: Pictures,
        root: Node,
        complaints: Complaints,
    ) -> None:
        self._answers = answers
        self._broken = {n for n, parts in enumerate(answers) if any(p is None for p in parts)}
        self._pictures = pictures
        self._root = root
        self._complaints = complaints
        self._sorted: dict[int, Sequence[Part]] = {}

    def resolved(self, part: Part) -> Part:
        """``part`` with ``images`` as a list; complains about names that there are not."""
        if self._shown(part) is None or part.options is None:
            if part.notes:
                text = f"{part.analysis} is not about single pictures; expected text: here"
                self._complain((*part.where, "notes"), text)
            return part
        names = self._names(part)
        if names is None:
            return part
        self._check(part, names)
        fields = type(part.options).model_fields
        update = {"images": names} if "images" in fields else {"image": names[0]} if names else {}
        return replace(part, options=part.options.model_copy(update=update))

    def _check(self, part: Part, names: Sequence[Name]) -> None:
        where, seen = _where(part), set[Name]()
        listing = isinstance(self._shown(part), list)  # else the names were checked elsewhere
        for index, name in enumerate(names if listing else ()):
            at = (*where, index) if where[-1] == "images" else where
            if name not in self._pictures:
                self._complain(at, self._unknown(name))
            elif name in seen:
                self._complain(at, f"the picture {name} is listed twice; remove one of them")
            seen.add(name)
        shown = set(names)
        for name, _ in part.notes:
            if name not in shown:
                text = f"this part does not show the picture {_quoted(name)}; it shows "
                text += (listed(names, "and") or "none") + self._complaints.hint(name, names)
                self._complain((*part.where, "notes", name), text)

    def _names(self, part: Part) -> list[Name] | None:
        asked = [part]
        while _refers(shown := self._shown(asked[-1])):
            following = self._following(shown, asked)
            if following is None:
                return None
            asked.append(following)
        if shown == "all":
            if not self._pictures:
                text = "there are no pictures yet; list some under `images:`"
                self._complain(_where(asked[-1]), text)
            return list(self._pictures)
        return [picture_name(name) for name in shown]

    def _following(self, shown: str, asked: Sequence[Part]) -> Part | None:
        """The part that ``same as question N`` means: the first of N with several pictures."""
        where = _where(asked[-1])
        if not (match := _SAME.fullmatch(shown.strip())):
            text = f"found {quoted(shown)}; expected all, a list such as [0, 4], or "
            self._complain(where, text + "the words `same as question 1`")
            return None
        number = int(match[1])
        if not 1 <= number <= len(self._answers):
            text = f"there is no question {number}; the report has {len(self._answers)}"
            self._complain(where, text)
            return None
        parts = self._with_pictures(number - 1)
        following = next((part for part in parts if not any(part is one for one in asked)), None)
        if following and len(asked) < _FARTHEST:
            return following
        if number - 1 not in self._broken:  # else a part that is missing here may be the one
            why = "says the same of another one" if parts else "shows no pictures"
            self._complain(where, f"question {number} {why}; expected a list such as [0, 4]")
        return None

    def _with_pictures(self, number: int) -> Sequence[Part]:
        if number not in self._sorted:
            parts = [part for part in self._answers[number] if part and self._shown(part)]
            parts.sort(key=lambda part: (_refers(self._shown(part)), not _plural(part)))
            self._sorted[number] = parts
        return self._sorted[number]

    @staticmethod
    def _shown(part: Part) -> Any:
        selection = getattr(part.options, "selection", None)
        shown = selection() if selection else None
        return shown if shown is None or isinstance(shown, str) else list(shown)

    def _unknown(self, name: Name) -> str:
        known = self._pictures
        text = f"there is no picture {_quoted(name)} under `images:`"
        listing = f"; it has {listed(known, 'and')}" if known else ", which is empty"
        return text + listing + self._complaints.hint(name, known)

    def _complain(self, where: Path_, text: str) -> None:
        self._complaints.add(place_of(self._root, where), where, text)


def _refers(selection: Any) -> bool:
    return isinstance(selection, str) and selection != "all"


def _plural(part: Part) -> bool:
    return part.options is not None and "images" in type(part.options).model_fields


def _quoted(name: Name) -> str:
    return str(name) if isinstance(name, int) else quoted(name)


def _where(part: Part) -> Path_:
    options: BaseModel | None = part.options
    given = options.model_fields_set if options else set()
    field = next((name for name in ("images", "image") if name in given), None)
    return (*part.where, part.analysis, field) if field else (*part.where, part.analysis)
