"""report.yaml → Report: every complaint about the file at once, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fervis.errors import Complaint
from fervis.spec import languages, pictures
from fervis.spec.complaints import Complaints
from fervis.spec.fitting import UNFIT, Fitting
from fervis.spec.overrides import override
from fervis.spec.parsing import parse
from fervis.spec.parts import Analyses, part
from fervis.spec.phrases import listed, quoted
from fervis.spec.report import Part, Path_, Question, Reference, Report
from fervis.spec.shape import AuthorLine, QuestionShape, ReferenceShape, ReportShape
from fervis.spec.source import read
from fervis.spec.tree import Items, Node, Pairs, Scalar, walk
from fervis.spec.words import found
from fervis.text import Text

Datasets = Mapping[str, type[BaseModel]]


def load(
    path: Path,
    *,
    analyses: Analyses,
    datasets: Datasets,
    model: type[BaseModel],
    overrides: Sequence[str] = (),
    also: Callable[[Report], Iterable[Complaint]] = lambda _: (),
) -> Report:
    """The report in the file ``path``, checked against the registries handed in.

    ``analyses`` maps names to modules with ``Options``, ``datasets`` kinds to models with a field
    ``kind``; ``overrides`` are texts such as ``images.4=812``. In the result ``images`` of every
    part is a list of picture names. Where the file is wrong, ``also`` may complain in the
    same go of what the file cannot know (the data, the network); it gets the parts that fit,
    with None for ``data`` or ``model`` that do not. Raises ReportError with all complaints, sorted
    by place.
    """
    path = Path(path)
    complaints = Complaints(path.name)
    root = parse(read(path), complaints)
    override(root, overrides, complaints)
    complaints.settle()
    reader = _Reader(root, Fitting(complaints, path.parent), analyses, datasets, model)
    values = reader.values()
    if not values:  # not even a mapping
        complaints.raise_if_any()
    nodes = list(walk(root))
    report = Report(
        file=path.absolute(),
        lines={at: node.place[:2] for at, node in nodes if not node.place.override},
        overridden={at: node.place.override for at, node in nodes if node.place.override},
        **values,
    )
    if complaints:
        complaints.raise_if_any(also(report))
    return report


class _Reader:
    """Reads one section after the other; leaves out what does not fit."""

    def __init__(
        self,
        root: Node,
        fitting: Fitting,
        analyses: Analyses,
        datasets: Datasets,
        model: type[BaseModel],
    ) -> None:
        self._root = root
        self._fitting = fitting
        self._complaints = fitting.complaints
        self._analyses = analyses
        self._datasets = datasets
        self._model = model

    def values(self) -> dict[str, Any]:
        """The fields of the Report; whole only if there are no complaints."""
        fields = self._fitting.fields(self._root, (), ReportShape)
        root = self._root
        if not isinstance(root, Pairs):
            return {}
        known = pictures.named(fields.get("images", {}), root.get("images"), self._complaints)
        data_kind, data = self._data(root.get("data"))
        values = {
            "title": fields.get("title"),
            "languages": tuple(fields.get("languages", ())),
            "author": _author(fields.get("author", {})),
            "date": fields.get("date"),
            "seed": fields.get("seed", 0),
            "data": None if data is UNFIT else data,
            "data_kind": data_kind,
            "model": self._network(root.get("model")),
            "pictures": known,
            "questions": self._questions(root.get("questions"), known),
            "references": self._references(root.get("references")),
        }
        if "languages" in fields:
            texts, tags = self._fitting.texts, fields["languages"]
            languages.check(texts, tags, root, self._complaints)
        return values

    def _network(self, node: Node | None) -> BaseModel | None:
        fitted = UNFIT if node is None else self._fitting.model(node, ("model",), self._model)
        return None if fitted is UNFIT else fitted

    def _data(self, node: Node | None) -> tuple[str, Any]:
        if node is None:
            return "", UNFIT
        kinds = listed(self._datasets)
        kind = node.get("kind") if isinstance(node, Pairs) else None
        if kind is None:
            text = f"found {found(node)}; expected a mapping with `kind:` {kinds}"
            if isinstance(node, Scalar) and node.literal in self._datasets:
                text += f" (did you mean {{kind: {node.literal}}}?)"
            self._complaints.add(node.place, ("data",), text)
        elif not isinstance(kind, Scalar) or kind.literal not in self._datasets:
            name = kind.literal if isinstance(kind, Scalar) else ""
            hint = self._complaints.hint(name, self._datasets)
            text = f"found {found(kind)}; expected one of {kinds}{hint}"
            self._complaints.add(kind.place, ("data", "kind"), text)
        else:
            model = self._datasets[kind.literal]
            return kind.literal, self._fitting.model(node, ("data",), model)
        return "", UNFIT

    def _questions(self, node: Node | None, known: pictures.Pictures) -> tuple[Question, ...]:
        nodes = self._items(node, ("questions",), "at least one question")
        if node is not None and isinstance(node, Items) and not nodes:
            self._complaints.add(node.place, ("questions",), "expected at least one question")
        heads = [
            self._fitting.fields(item, ("questions", number), QuestionShape)
            for number, item in enumerate(nodes)
        ]
        answers = [
            self._answer(item.get("answer"), ("questions", number, "answer"))
            if isinstance(item, Pairs)
            else [None]
            for number, item in enumerate(nodes)
        ]
        selections = pictures.Selections(answers, known, self._root, self._complaints)
        resolved = [
            tuple(selections.resolved(each) for each in answer if each) for answer in answers
        ]
        return tuple(
            Question(**{"title": Text.same(""), **head, "answer": tuple(filter(_whole, answer))})
            for head, answer in zip(heads, resolved, strict=True)
        )

    def _answer(self, node: Node | None, path: Path_) -> list[Part | None]:
        nodes = self._items(node, path, "parts")
        return [
            part(item, (*path, index), self._analyses, self._fitting)
            for index, item in enumerate(nodes)
        ]

    def _references(self, node: Node | None) -> tuple[Reference, ...]:
        references: list[Reference] = []
        keys: set[str] = set()
        for index, item in enumerate(self._items(node, ("references",), "references")):
            path: Path_ = ("references", index)
            if isinstance(item, Pairs) and not ReferenceShape.model_fields.keys().isdisjoint(
                item.pairs
            ):
                values = self._fitting.fields(item, path, ReferenceShape)
                if len(values) < len(ReferenceShape.model_fields):
                    continue
                if values["key"] in keys:
                    text = f"the key {quoted(values['key'])} is used twice; expected another one"
                    key = item.pairs["key"].node
                    self._complaints.add(key.place, (*path, "key"), text)
                keys |= {values["key"]} - {""}
                references.append(Reference(values["text"], values["key"], values["url"] or ""))
            else:
                text = self._fitting.text(item, path)
                if text is not UNFIT:
                    references.append(Reference(text))
        return tuple(references)

    def _items(self, node: Node | None, path: Path_, what: str) -> Sequence[Node]:
        if node is None:
            return ()
        if isinstance(node, Items):
            return node.nodes
        text = f"found {found(node)}; expected a list of {what}, each begun with `- `"
        self._complaints.add(node.place, path, text)
        return ()


def _whole(part: Part) -> bool:
    """Whether all options of a part are known; a stand-in for faulty ones has only pictures."""
    options = part.options
    return options is None or vars(options).keys() >= type(options).model_fields.keys()


def _author(fields: Mapping[str, Text] | Sequence[AuthorLine]) -> tuple[tuple[Text, Text], ...]:
    if isinstance(fields, Mapping):
        return tuple((Text.same(key), value) for key, value in fields.items())
    return tuple((line.label, line.value) for line in fields)
