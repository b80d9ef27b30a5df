"""Which pictures a part shows: names against ``images:``, and ``same as question 3``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from fervis.spec.complaints import Complaints, did_you_mean, listed, quoted
from fervis.spec.parts import picture_name
from fervis.spec.report import Part, Path_
from fervis.spec.tree import Node, Pairs, place_of

Name = int | str
Pictures = Mapping[Name, Any]
_SAME = re.compile(r"same as question (\d{1,6})", re.IGNORECASE)


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
        self._pictures = pictures
        self._root = root
        self._complaints = complaints

    def resolved(self, question: int, part: Part) -> Part:
        """``part`` with ``images`` as a list; complains about names that there are not."""
        shown = self._shown(part)
        if shown is None or part.options is None:
            if part.notes:
                text = (
                    f"{part.analysis} is not about single pictures; write `text:` instead of notes"
                )
                self._complain((*part.where, "notes"), text)
            return part
        where = _where(part)
        names = self._names(shown, where, (part,), question)
        if names is None:
            return part
        for index, name in enumerate(names):
            at = (*where, index) if isinstance(shown, list) and where[-1] == "images" else where
            if name not in self._pictures:
                self._complain(at, self._unknown(name))
            elif name in names[:index]:
                self._complain(at, f"the picture {name} is listed twice; remove one of them")
        for name, _ in part.notes:
            if name not in names:
                text = f"this part does not show the picture {_shown(name)}; it shows "
                text += (listed(names, "and") or "none") + did_you_mean(name, names)
                self._complain((*part.where, "notes", name), text)
        options = part.options
        if "images" in type(options).model_fields:
            options = options.model_copy(update={"images": names})
        elif "image" in type(options).model_fields and len(names) == 1:
            options = options.model_copy(update={"image": names[0]})
        return replace(part, options=options)

    def _names(
        self, shown: Any, where: Path_, asking: tuple[Part, ...], question: int
    ) -> list[Name] | None:
        if isinstance(shown, list):
            return [picture_name(name) for name in shown]
        if shown == "all":
            if not self._pictures:
                self._complain(where, "there are no pictures yet; list some under `images:`")
            return list(self._pictures)
        if not (match := _SAME.fullmatch(str(shown).strip())):
            text = f"found {quoted(str(shown))}; expected all, a list such as [0, 4], or "
            self._complain(where, text + "the words `same as question 1`")
            return None
        number = int(match[1])
        if not 1 <= number <= len(self._answers):
            text = f"there is no question {number}; the report has {len(self._answers)}"
            self._complain(where, text)
            return None
        return self._names_of(number, where, asking, question)

    def _names_of(
        self, number: int, where: Path_, asking: tuple[Part, ...], question: int
    ) -> list[Name] | None:
        """The pictures of question ``number``: its first part with several pictures decides."""
        parts = self._answers[number - 1]
        others = [part for part in parts if part and not any(part is other for other in asking)]
        shown = [(part, self._shown(part)) for part in others]
        shown.sort(key=lambda pair: (_refers(pair[1]), not _plural(pair[0])))
        for part, selection in shown:
            if selection is not None:
                return self._names(selection, _where(part), (*asking, part), number - 1)
        if None in parts:  # it has a part that was complained about: that one may have the list
            return None
        circle = number - 1 == question or len(asking) > 1
        why = "says the same of another one" if circle else "shows no pictures"
        self._complain(where, f"question {number} {why}; expected a list such as [0, 4]")
        return None

    @staticmethod
    def _shown(part: Part) -> Any:
        selection = getattr(part.options, "selection", None)
        shown = selection() if selection else None
        return list(shown) if isinstance(shown, tuple) else shown

    def _unknown(self, name: Name) -> str:
        known = self._pictures
        text = f"there is no picture {_shown(name)} under `images:`"
        listing = f"; it has {listed(known, 'and')}" if known else ", which is empty"
        return text + listing + did_you_mean(name, known)

    def _complain(self, where: Path_, text: str) -> None:
        self._complaints.add(place_of(self._root, where), where, text)


def _refers(selection: Any) -> bool:
    return isinstance(selection, str) and selection != "all"


def _plural(part: Part) -> bool:
    return part.options is not None and "images" in type(part.options).model_fields


def _shown(name: Name) -> str:
    return str(name) if isinstance(name, int) else quoted(name)


def _where(part: Part) -> Path_:
    options: BaseModel | None = part.options
    given = options.model_fields_set if options else set()
    field = next((name for name in ("images", "image") if name in given), None)
    return (*part.where, part.analysis, field) if field else (*part.where, part.analysis)
