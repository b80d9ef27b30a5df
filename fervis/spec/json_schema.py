"""The JSON Schema of report.yaml for editors, from the models that load() fits values to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from fervis.spec.parts import Analyses
from fervis.spec.shape import BesideShape, NoteShape, QuestionShape, ReferenceShape, ReportShape
from fervis.text import Text

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(
    analyses: Analyses, datasets: Mapping[str, type[BaseModel]], model: type[BaseModel]
) -> Schema:
    """JSON Schema (draft 2020-12) of all that load() accepts with these registries.

    What no schema can say (pictures and languages that must exist, …) only load() checks.
    """
    definitions: Schema = {"text": TypeAdapter(Text).json_schema()}
    report = _model(ReportShape, "report", definitions)
    question = _model(QuestionShape, "question", definitions)
    fields = report["properties"]
    fields["data"] |= {"oneOf": [_data(kind, datasets[kind], definitions) for kind in datasets]}
    fields["model"] |= _reference("model", _model(model, "model", definitions), definitions)
    fields["questions"] |= _list(_reference("question", question, definitions)) | {"minItems": 1}
    question["properties"]["answer"] |= _list(
        _reference("part", _part(analyses, definitions), definitions)
    )
    fields["references"] |= _list(_text_or(ReferenceShape, "reference", definitions))
    whole = _as_yaml({"$schema": DIALECT, **report, "$defs": definitions})
    text = whole["$defs"].pop("text")
    shared: Schema = _shared(whole, text["anyOf"], {"$ref": "#/$defs/text"})
    shared["$defs"]["text"] = text
    return shared


def _part(analyses: Analyses, definitions: Schema) -> Schema:
    """One analysis with what stands beside it, or text or math alone."""
    beside = _model(BesideShape, "beside", definitions)["properties"]
    note = _text_or(NoteShape, "note", definitions)
    beside["notes"] |= {"type": "object", "additionalProperties": note}
    properties: Schema = {}
    for name in analyses:
        options = _model(analyses[name].Options, f"analysis.{name}", definitions)
        filled = _reference(f"analysis.{name}", options, definitions)
        empty = [] if options.get("required") else [{"type": "null"}]
        properties[name] = {"anyOf": [filled, *empty]}
    alone = [{"required": [name], "maxProperties": 1} for name in ("text", "math")]
    return {
        "type": "object",
        "properties": {**properties, "math": {"type": "string"}, **beside},
        "additionalProperties": False,
        "oneOf": [*({"required": [name]} for name in analyses), *alone],
        "dependentSchemas": {"math": {"maxProperties": 1}},
    }


def _data(kind: str, model: type[BaseModel], definitions: Schema) -> Schema:
    options = _model(model, f"data.{kind}", definitions)
    options["required"] = list(dict.fromkeys(["kind", *options.get("required", [])]))
    return _reference(f"data.{kind}", options, definitions)


def _text_or(model: type[BaseModel], name: str, definitions: Schema) -> Schema:
    """A text, or a mapping with one of the keys of ``model``: the same rule as in load()."""
    other = _reference(name, _model(model, name, definitions), definitions)
    is_other = [{"required": [key]} for key in model.model_fields]
    return {
        "if": {"type": "object", "anyOf": is_other},
        "then": other,
        "else": {"$ref": "#/$defs/text"},
    }


def _model(model: type[BaseModel], name: str, definitions: Schema) -> Schema:
    """The schema of ``model``; what it refers to goes to ``definitions`` under ``name``."""
    own = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    inner = own.pop("$defs", {})
    definitions |= {f"{name}.{key}": value for key, value in inner.items()}
    return own


def _reference(name: str, own: Schema, definitions: Schema) -> Schema:
    definitions[name] = own
    return {"$ref": f"#/$defs/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _as_yaml(own: Any) -> Any:
    """Adds that unquoted numbers are texts too; drops the titles that pydantic makes of names."""
    if isinstance(own, list):
        return [_as_yaml(item) for item in own]
    if not isinstance(own, dict):
        return own
    kept = {"default", "const", "enum", "required"}
    result = {
        key: value if key in kept and not isinstance(value, dict) else _as_yaml(value)
        for key, value in own.items()
        if key != "title" or not isinstance(value, str)
    }
    if result.get("type") == "string" and result.keys().isdisjoint(("const", "enum")):
        result["type"] = ["string", "number", "boolean"]
    return result


def _shared(own: Any, forms: list[Schema], one: Schema) -> Any:
    """``own`` with ``one`` in place of ``forms`` wherever a value may have any of them."""
    if isinstance(own, list):
        return [_shared(item, forms, one) for item in own]
    if not isinstance(own, dict):
        return own
    result = {key: _shared(value, forms, one) for key, value in own.items()}
    listed = own.get("anyOf", [])
    if all(form in listed for form in forms):
        others = [form for form in listed if form not in forms]
        result |= {"anyOf": [one, *others]} if others else one
        if not others:
            del result["anyOf"]
    return result
