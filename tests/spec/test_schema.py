"""The JSON Schema says what load() accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fervis import spec
from fervis.spec.complaints import Complaints
from fervis.spec.parsing import parse
from fervis.spec.tree import Items, Node, Pairs
from tests.spec.registry import (
    ANALYSES,
    DATASETS,
    GOOD,
    Activations,
    Filters,
    Model,
    Odd,
    Saliency,
    complaints,
    with_line,
    with_part,
)

SCHEMA = spec.schema(ANALYSES, DATASETS, Model)
VALIDATOR = Draft202012Validator(SCHEMA)

ACCEPTED = [
    GOOD,
    with_line(3, "author: [{label: {zh-Hant: 學號, en: ID}, value: 007}]"),
    with_line(3, "author: {student id: 0123456, a: 1.50, b: true}"),
    with_line(5, "model: {size: [48, 64], mean: [0.5, 1], args: {a: [1, {b: 2}]}}"),
    with_line(10, "    collaborators: 3"),
    with_line(10, "    collaborators:"),
    with_line(22, "  - {zh-Hant: a, en: b}"),
    GOOD + "languages: [en]\ndate: 2024\nseed: 7\n",
    with_part("- saliency:"),
    with_part("- saliency: {images: [0, eyes]}\n  title: x\n  text: 5"),
    with_part("- filters: {layer: 3, channels: [1, 2]}"),
    with_part("- odd: {names: [a, {zh-Hant: b, en: c}], inside: {depth: 2}, pair: [1, 2]}"),
]

REFUSED = [
    with_line(1, "version: 2"),
    with_line(2, "title: [a]"),
    with_line(2, "titel: a"),
    with_line(4, "data: {kind: facse}"),
    with_line(4, "data: {split: test}"),
    with_line(4, "data: {kind: fer2013}"),
    with_line(5, "model: {wieghts: x}"),
    with_line(5, "model: {size: [48]}"),
    with_line(6, "images: {0: -1}"),
    with_line(6, "images: {0: maybe}"),
    with_line(9, "    points: two"),
    with_line(9, "    point: 2"),
    with_line(23, "  - {key: b, text: x, url: 'javascript:x'}"),
    with_line(23, "  - {text: x, key: 'a b'}"),
    GOOD + "languages: []\n",
    GOOD + "languages: [zh_TW]\n",
    with_part("- salency:"),
    with_part("- saliency: {quantile: 2}"),
    with_part("- saliency: {quantil: 0.5}"),
    with_part("- saliency: []"),
    with_part("- saliency:\n  filters: {layer: x}"),
    with_part("- saliency:\n  math: x"),
    with_part("- saliency:\n  note: x"),
    with_part("- saliency:\n  notes: {0: {text: x, verdict: rihgt}}"),
    with_part("- saliency:\n  notes: x"),
    with_part("- filters:"),
    with_part("- filters: {layer: [x]}"),
    with_part("- math: x\n  text: y"),
    with_part("- text: x\n  notes: {0: x}"),
    with_part("- title: x"),
    with_part("- hello"),
]


def plain(text: str) -> Any:
    """What an editor hands to the schema: the values of the file, keys as texts."""
    return _plain(parse(text, Complaints("")))


def _plain(node: Node) -> Any:
    if isinstance(node, Pairs):
        return {str(key): _plain(pair.node) for key, pair in node.pairs.items()}
    return [_plain(item) for item in node.nodes] if isinstance(node, Items) else node.value


def test_it_is_a_schema_and_plain_json() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("text", ACCEPTED)
def test_it_accepts_what_load_accepts(tmp_path: Path, text: str) -> None:
    assert complaints(tmp_path, text) == ()
    VALIDATOR.validate(plain(text))


@pytest.mark.parametrize("text", REFUSED)
def test_it_refuses_what_load_refuses(tmp_path: Path, text: str) -> None:
    assert complaints(tmp_path, text)
    assert not VALIDATOR.is_valid(plain(text))


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(SCHEMA)
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names <= SCHEMA["$defs"].keys()


def test_descriptions_and_every_analysis_are_in_it() -> None:
    part = SCHEMA["$defs"]["part"]["properties"]
    assert ANALYSES.keys() <= part.keys()
    options = SCHEMA["$defs"]["analysis.saliency"]["properties"]
    assert options["quantile"]["description"] == "how much is covered"


def test_the_shipped_registries_give_a_schema() -> None:
    from fervis import data
    from fervis.analyses import REGISTRY
    from fervis.model.options import ModelOptions

    schema = spec.schema(REGISTRY, data.KINDS, ModelOptions)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(
        {"version": 1, "title": "x", "data": {"kind": "faces"}, "model": {"kind": "default"},
         "questions": [{"title": "y", "answer": [{"text": "z"}]}]}
    )  # fmt: skip


def test_options_are_described_in_words() -> None:
    rows = {row.name: row for model in (Saliency, Filters, Activations, Odd, Model)
            for row in spec.describe(model)}  # fmt: skip
    assert rows["quantile"] == ("quantile", "a number, above 0, below 1", "0.7",
                                "how much is covered")  # fmt: skip
    assert rows["first"].type == "a whole number, at least 1"
    assert rows["channels"][1:3] == ("a list of whole numbers", "null")
    assert rows["mode"].type == "fast or slow"
    assert rows["exact"][1:3] == ("true or false", "false")
    assert rows["pair"][1:3] == ("a list of 2 whole numbers", "[1, 2]")
    assert rows["inside"].type == "a mapping"
    assert rows["args"][1:3] == ("a mapping", "{}")
    assert rows["size"].type == "a whole number or a list of 2 whole numbers"
    assert rows["weights"].type == "a path"
    assert spec.describe(Filters)[0].default == ""
