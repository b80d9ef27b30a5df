"""The parts of an answer: an analysis of the registry with what stands beside it, text, or math."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from fervis.spec.fitting import UNFIT, Fitting, validator
from fervis.spec.phrases import listed, quoted
from fervis.spec.report import Note, Part, Path_
from fervis.spec.shape import BesideShape, NoteShape
from fervis.spec.tree import Items, Node, Pairs, Scalar
from fervis.spec.words import found

ALONE = ("text", "math")
BESIDE = tuple(BesideShape.model_fields)


class HasOptions(Protocol):
    """An analysis as far as this room knows it: its options are a pydantic model."""

    @property
    def Options(self) -> type[BaseModel]: ...  # noqa: N802, D102


Analyses = Mapping[str, HasOptions]


def part(node: Node, path: Path_, analyses: Analyses, fitting: Fitting) -> Part | None:
    """The part at ``node``, or None where it was complained about."""
    if not isinstance(node, Pairs):
        hint = "; a text is written as `- text: …`" if isinstance(node, Scalar) else ""
        text = f"found {found(node)}; expected a mapping with one analysis, text or math{hint}"
        fitting.complaints.add(node.place, path, text)
        return None
    kind = _kind(node, path, analyses, fitting)
    if kind is None:
        return None
    if kind in ALONE:
        return _alone(kind, node, path, fitting)
    options = _options(kind, node, path, analyses[kind].Options, fitting)
    beside = Pairs(node.place, {k: p for k, p in node.pairs.items() if k in BESIDE})
    values = fitting.fields(beside, path, BesideShape)
    notes = _notes(beside.get("notes"), (*path, "notes"), fitting)
    if options is UNFIT:
        options = _selection_of(node.pairs[kind].node, analyses[kind].Options)
    if options is None or notes is None:
        return None
    return Part(
        analysis=kind,
        where=path,
        options=options,
        text=values.get("text"),
        title=values.get("title"),
        notes=notes,
    )


def _kind(node: Pairs, path: Path_, analyses: Analyses, fitting: Fitting) -> str | None:
    """The one key that says what this part is; complains about every other key."""
    known = (*analyses, *ALONE)
    kinds = [str(key) for key in node.pairs if key in analyses or key == "math"]
    if not kinds and "text" in node.pairs:
        kinds = ["text"]
    others = [key for key in node.pairs if key not in known and key not in BESIDE]
    for key in others:
        pair = node.pairs[key]
        hint = fitting.complaints.hint(pair.literal, (*BESIDE, *known) if kinds else known)
        if kinds:
            text = (
                f"unknown key {quoted(pair.literal)}; expected {listed(BESIDE)} beside {kinds[0]}"
            )
        else:
            text = f"unknown analysis {quoted(pair.literal)}; expected one of {listed(known)}"
        fitting.complaints.add(pair.place, (*path, key), text + hint)
    if len(kinds) > 1:
        pair = node.pairs[kinds[1]]
        text = (
            f"one part has {listed(kinds, 'and')}; expected one of them: begin the next with `- `"
        )
        fitting.complaints.add(pair.place, (*path, kinds[1]), text)
        return None
    if kinds:
        return kinds[0]
    if not others:
        text = f"this part says nothing; expected one of {listed(known)}"
        fitting.complaints.add(node.place, path, text)
    return None


def _alone(kind: str, node: Pairs, path: Path_, fitting: Fitting) -> Part | None:
    for key, pair in node.pairs.items():
        if key != kind and key in BESIDE:
            text = f"{key} stands beside an analysis only; beside {kind} write a part of its own"
            fitting.complaints.add(pair.place, (*path, key), text)
    content = node.pairs[kind].node
    if kind == "text":
        text = fitting.text(content, (*path, kind))
        return None if text is UNFIT else Part(analysis=kind, where=path, text=text)
    latex = fitting.value(content, (*path, kind), validator(str))
    return None if latex is UNFIT else Part(analysis=kind, where=path, latex=latex)


def _options(kind: str, node: Pairs, path: Path_, model: type[BaseModel], fitting: Fitting) -> Any:
    given = node.pairs[kind].node
    if isinstance(given, Scalar) and given.value is None:  # `- saliency:` is all defaults
        given = Pairs(given.place)
    return fitting.model(given, (*path, kind), model)


def _selection_of(node: Node, model: type[BaseModel]) -> BaseModel | None:
    """Options that say no more than which pictures they are about.

    They stand for options that were complained about, so that wrong pictures and notes of the
    same part are complained about in the same go.
    """
    for name in ("images", "image"):
        given = node.get(name) if isinstance(node, Pairs) else None
        nodes = given.nodes if isinstance(given, Items) else [given]
        values = [each.value for each in nodes if isinstance(each, Scalar)]
        if name in model.model_fields and values and all(type(v) in (int, str) for v in values):
            shown = values if isinstance(given, Items) else values[0]
            return model.model_construct(_fields_set={name}, **{name: shown})
    return None


def _notes(
    node: Node | None, path: Path_, fitting: Fitting
) -> tuple[tuple[int | str, Note], ...] | None:
    if node is None:
        return ()
    if not isinstance(node, Pairs):
        text = f"found {found(node)}; expected a mapping from picture to text, such as {{4: …}}"
        fitting.complaints.add(node.place, path, text)
        return None
    notes = [(key, _note(pair.node, (*path, key), fitting)) for key, pair in node.pairs.items()]
    fitted = tuple((picture_name(key), note) for key, note in notes if note is not None)
    return fitted if len(fitted) == len(notes) else None


def _note(node: Node, path: Path_, fitting: Fitting) -> Note | None:
    if isinstance(node, Pairs) and not NoteShape.model_fields.keys().isdisjoint(node.pairs):
        values = fitting.fields(node, path, NoteShape)
        return Note(values["text"], values["verdict"]) if len(values) == 2 else None
    text = fitting.text(node, path)
    return None if text is UNFIT else Note(text)


def picture_name(name: int | str) -> int | str:
    """A picture is called by its class number also where a file has the number in quotes."""
    return int(name) if isinstance(name, str) and name.isdecimal() and len(name) < 19 else name
