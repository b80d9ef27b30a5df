"""Types and their violations in plain words."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fervis.spec.phrases import listed, quoted
from fervis.spec.tree import Items, Node, Pairs, Scalar
from fervis.text import Text


class Described(NamedTuple):
    """One option: its name, what it may be, its default as YAML writes it, what it does."""

    name: str
    type: str
    default: str
    description: str


Hint = Callable[[object, Iterable[object]], str]
"""(what was written, what is known) → `` (did you mean …?)`` or nothing."""

_ANY_TEXT = "a text, or one for each language"


def describe(options: type[BaseModel]) -> list[Described]:
    """The options of a model for tables and help; the default is "" where one must be given."""
    return [
        Described(name, type_in_words(info), _default(info), info.description or "")
        for name, info in options.model_fields.items()
    ]


def type_in_words(info: FieldInfo) -> str:
    """What a field may be: ``a whole number, at least 1``."""
    return _words(info.annotation) + _bounds(info.metadata)


def found(node: Node) -> str:
    """What stands in the file instead of what was expected."""
    if isinstance(node, Items):
        return f"a list of {len(node.nodes)}"
    if isinstance(node, Pairs):
        keys = listed((quoted(pair.literal) for pair in list(node.pairs.values())[:3]), "and")
        return f"a mapping with {keys}" if keys else "an empty mapping"
    if node.value is None:
        return "nothing"
    return f"the text {quoted(node.literal)}" if isinstance(node.value, str) else node.literal


def violation(errors: Sequence[ErrorDetails], node: Node, hint: Hint) -> str:
    """One sentence for all ``errors`` of one value (several: of the members of a union)."""
    for error in errors:
        if error["type"] in ("value_error", "assertion_error"):
            return str(error["ctx"]["error"])
        if error["type"] == "missing":
            return f"the list is too short: item {error['loc'][-1]} is missing"
    known = [name for error in errors for name in _literals(error)]
    near = hint(node.literal, known) if isinstance(node, Scalar) else ""
    expected = dict.fromkeys(map(_expected, errors))
    if _ANY_TEXT in expected:
        expected = {_ANY_TEXT: None}
    return f"found {found(node)}; expected {listed(expected)}{near}"


_ONE = {
    int: "a whole number", float: "a number", bool: "true or false", str: "text", Text: "text",
    Path: "a path", type(None): "null", Any: "anything", list: "a list", tuple: "a list",
    dict: "a mapping", Mapping: "a mapping",
}  # fmt: skip
_MANY = {"a whole number": "whole numbers", "a number": "numbers", "text": "texts",
         "a path": "paths", "a list": "lists", "a mapping": "mappings"}  # fmt: skip

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "none_required": "null",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
}


def _expected(error: ErrorDetails) -> str:
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] in ("literal_error", "enum"):
        return str(context["expected"]).replace("'", "")
    if error["type"] == "is_instance_of":
        return {"Path": "a path", "Text": _ANY_TEXT}.get(str(context["class"]), error["msg"])
    if error["type"] in _EXPECTED:
        plain = {key: f"{n:g}" if isinstance(n, float) else n for key, n in context.items()}
        return _EXPECTED[error["type"]].format_map(plain)
    return re.sub(r"^Input should be (a valid )?", "", error["msg"])


def _literals(error: ErrorDetails) -> list[str]:
    if error["type"] not in ("literal_error", "enum"):
        return []
    return re.findall(r"'([^']+)'", str(error["ctx"]["expected"]))


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0]) + _bounds(arguments[1:])
    if origin is Literal:
        return listed(map(_yaml, arguments))
    if origin in (Union, types.UnionType):
        members = [_words(member) for member in arguments if member is not type(None)]
        return listed(dict.fromkeys(members))
    if origin is tuple and arguments and arguments[-1] is not ...:
        return f"a list of {len(arguments)} {_many(arguments[:1])}"
    if origin in (list, tuple, set, frozenset) and arguments:
        return f"a list of {_many(arguments[:1])}"
    plain = origin or annotation
    if plain in _ONE:
        return _ONE[plain]
    return "a mapping"


def _many(members: Iterable[Any]) -> str:
    (member,) = members
    options = get_args(member) if get_origin(member) in (Union, types.UnionType) else (member,)
    return listed(dict.fromkeys(_MANY.get(_words(option), _words(option)) for option in options))


def _bounds(metadata: Iterable[Any]) -> str:
    words = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
    return "".join(
        f", {word} {getattr(item, name):g}"
        for item in metadata
        for name, word in words
        if getattr(item, name, None) is not None
    )


def _default(info: FieldInfo) -> str:
    return "" if info.is_required() else _yaml(info.get_default(call_default_factory=True))


def _yaml(value: Any) -> str:
    """``value`` as one would write it in the file."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
