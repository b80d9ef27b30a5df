"""Trees into typed values: pydantic decides whether they fit, the complaints are in our words.

Nothing is converted behind the author's back (``"5"`` is no number, 1 is not ``true``), with one
exception: where text is wanted, an unquoted number is the text as written (``0123`` keeps its 0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from fervis.spec.complaints import Complaints
from fervis.spec.locations import KEY, known_keys, located, model_at
from fervis.spec.phrases import listed, quoted
from fervis.spec.report import Path_
from fervis.spec.shape import Shape
from fervis.spec.tree import Items, Node, Pairs, Scalar, place_of, step_into
from fervis.spec.words import found, type_in_words, violation
from fervis.text import Text

UNFIT: Any = object()
"""Stands for a value that was complained about."""

Validate = Callable[[Any], Any]
_Adapted = Mapping[Path_, Callable[[Any], Any]]
_LISTS: Mapping[str, Callable[[Any], Any]] = {
    "tuple_type": tuple, "set_type": set, "frozen_set_type": frozenset,
}  # fmt: skip


class Fitting:
    """Fits values one by one; remembers the texts in them, whose languages are checked last."""

    def __init__(self, complaints: Complaints, folder: Path) -> None:
        self.complaints = complaints
        self.texts: list[tuple[Path_, Text]] = []
        self._folder = folder

    def model(self, node: Node, path: Path_, model: type[BaseModel]) -> Any:
        """``node`` as a ``model``, or UNFIT."""
        return self.value(node, path, lambda value: model.model_validate(value, strict=True), model)

    def text(self, node: Node, path: Path_) -> Any:
        """``node`` as a Text, or UNFIT."""
        return self.value(node, path, validator(Text))

    def fields(self, node: Node, path: Path_, shape: type[Shape]) -> dict[str, Any]:
        """The fields of ``shape`` that fit, each judged alone; absent ones have their default."""
        if not isinstance(node, Pairs):
            keys = listed(shape.model_fields, "and")
            text = f"found {found(node)}; expected a mapping with the keys {keys}"
            self.complaints.add(node.place, path, text)
            return {}
        values: dict[str, Any] = {}
        for key in node.pairs:
            if key not in shape.model_fields:
                self._unknown(node, path, key, shape.model_fields)
        for name, info in shape.model_fields.items():
            if (child := node.get(name)) is None:
                if info.is_required():
                    self._missing(node, (*path, name), shape)
                else:
                    values[name] = info.get_default(call_default_factory=True)
            elif name not in shape.by_hand:
                value = self.value(
                    child, (*path, name), validator(Annotated[info.annotation, info])
                )
                if value is not UNFIT:
                    values[name] = value
        return values

    def value(
        self, node: Node, path: Path_, validate: Validate, model: type[BaseModel] | None = None
    ) -> Any:
        """``node`` as what ``validate`` returns, or UNFIT; files that it names must exist."""
        adapted: dict[Path_, Callable[[Any], Any]] = {}
        while True:
            try:
                value = validate(_plain(node, (), adapted))
                break
            except ValidationError as error:
                errors = error.errors(include_url=False, include_input=False)
                more = {
                    place: how for place, how in _adaptable(errors, node) if place not in adapted
                }
                if not more:
                    self._complain(errors, node, path, model)
                    return UNFIT
                adapted |= more
        for where, leaf in _leaves(value, path):
            if isinstance(leaf, Text):
                self.texts.append((where, leaf))
            elif isinstance(leaf, Path) and not _exists(self._folder / leaf):
                place = place_of(node, where[len(path) :])
                text = f"there is no file {quoted(str(leaf))} (looked in {self._folder.absolute()})"
                self.complaints.add(place, where, text)
        return value

    def _complain(
        self, errors: list[ErrorDetails], node: Node, path: Path_, model: type[BaseModel] | None
    ) -> None:
        groups: dict[tuple[Path_, bool], list[ErrorDetails]] = {}
        for error in errors:
            where, key = located(error, node)
            groups.setdefault((where, key), []).append(error)
        hint = self.complaints.hint
        parents = {where[:depth] for where, _ in groups for depth in range(len(where))}
        for (where, key), group in groups.items():
            at, parent = step_into(node, where)
            last = group[0]["loc"][-1] if group[0]["loc"] else ""
            if group[0]["type"] == "extra_forbidden" and isinstance(parent, Pairs):
                known = known_keys(model, where[:-1])
                self._unknown(parent, (*path, *where[:-1]), where[-1], known)
            elif group[0]["type"] == "missing" and isinstance(last, str):
                self._missing(at, (*path, *where, last), model_at(model, where))
            elif key and isinstance(parent, Pairs):
                pair = parent.pairs[where[-1]]
                text = violation(group, Scalar(pair.literal, pair.literal, pair.place), hint)
                self.complaints.add(pair.place, (*path, *where), f"as a key {text}")
            elif where not in parents:  # else the errors inside are those of the intended form
                self.complaints.add(at.place, (*path, *where), violation(group, at, hint))

    def _unknown(self, node: Pairs, path: Path_, key: str | int, known: Mapping[str, Any]) -> None:
        pair = node.pairs[key]
        text = f"unknown key {quoted(pair.literal)}"
        if known:
            hint = self.complaints.hint(pair.literal, known)
            text += f"; expected one of {listed(known)}{hint}"
        self.complaints.add(pair.place, (*path, key), text)

    def _missing(self, node: Node, path: Path_, model: type[BaseModel] | None) -> None:
        text = "this is missing"
        if model and (info := model.model_fields.get(str(path[-1]))):
            about = f": {info.description}" if info.description else ""
            text += f"; expected {type_in_words(info)}{about}".replace(" anything: ", " ")
        self.complaints.add(node.place, path, text)


@cache
def validator(annotation: Any) -> Validate:
    """What fits a value to a type, strictly."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    return lambda value: adapter.validate_python(value, strict=True)


def _plain(node: Node, path: Path_, adapted: _Adapted) -> Any:
    value: Any
    if isinstance(node, Pairs):
        value = {
            pair.literal if (*path, key, KEY) in adapted else key: _plain(
                pair.node, (*path, key), adapted
            )
            for key, pair in node.pairs.items()
        }
    elif isinstance(node, Items):
        value = [_plain(item, (*path, index), adapted) for index, item in enumerate(node.nodes)]
    else:
        value = node.literal if path in adapted else node.value
    return adapted[path](value) if path in adapted else value


def _adaptable(
    errors: list[ErrorDetails], node: Node
) -> Iterator[tuple[Path_, Callable[[Any], Any]]]:
    """What can be read in another way that fits better: the paths, and how."""
    for error in errors:
        where, key = located(error, node)
        at, _ = step_into(node, where)
        kind = error["type"]
        if key and kind == "string_type":
            yield (*where, KEY), str
        elif isinstance(at, Items) and kind in _LISTS:
            yield where, _LISTS[kind]
        elif isinstance(at, Scalar) and at.value is not None:
            if kind == "string_type":
                yield where, str
            elif kind == "is_instance_of" and error["ctx"]["class"] == "Path":
                yield where, Path


def _leaves(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in value.model_fields_set}
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be entered
        return False
