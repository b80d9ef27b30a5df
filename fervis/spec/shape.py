"""The fields of report.yaml: their types, defaults and descriptions, and nothing else.

What depends on a registry (``data``, ``model``, the parts of an answer) is ``Any`` here and fitted
to the registry's own models; both halves meet again in the JSON Schema.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from fervis.spec.report import Verdict
from fervis.text import Text

VERSION = 1

LANGUAGE = (
    r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$"
)
"""A BCP 47 tag in its usual spelling: en, zh-Hant, zh-Hant-TW."""

REFERENCE_KEY = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"


def _version(value: int) -> int:
    if value != VERSION:
        raise ValueError(
            f"this file is of version {value}, but this fervis reads version {VERSION}; "
            f"write `version: {VERSION}`, or install the fervis that the file was written for"
        )
    return value


def _language(tag: str) -> str:
    if not re.match(LANGUAGE, tag):
        usual = "-".join(
            part.lower() if i == 0 else part.title() if len(part) == 4 else part.upper()
            for i, part in enumerate(re.split("[-_]", tag[:40]))
        )
        hint = f" (did you mean {usual}?)" if re.match(LANGUAGE, usual) else ""
        raise ValueError(f"this is no language tag; expected one such as en or zh-Hant{hint}")
    return tag


def _different(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("a language is listed twice; expected each once")
    return values


def _url(url: str) -> str:
    if not re.match(r"https?://[^\s/]", url):
        raise ValueError("this is no address; expected one that begins with https:// or http://")
    return url


Version = Annotated[int, AfterValidator(_version), WithJsonSchema({"const": VERSION})]
Language = Annotated[
    str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": LANGUAGE})
]
Languages = Annotated[list[Language], AfterValidator(_different)]
Url = Annotated[
    str, AfterValidator(_url), WithJsonSchema({"type": "string", "pattern": r"^https?://[^\s/]"})
]
Index = Annotated[int, Field(ge=0)]


class Shape(BaseModel):
    """A mapping in the file. ``by_hand`` names the fields that the registries decide about."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", allow_inf_nan=False)
    by_hand: ClassVar[frozenset[str]] = frozenset()


class AuthorLine(Shape):
    """One line about the author whose label is translated too."""

    label: Text
    value: Text


class ReportShape(Shape):
    """The whole file."""

    by_hand = frozenset({"data", "model", "questions", "references"})

    version: Version = Field(description="the form of this file: 1")
    title: Text = Field(description="the title of the report")
    languages: Languages = Field(
        ["zh-Hant", "en"], min_length=1, description="the languages of the report, the first first"
    )
    author: dict[str, Text] | list[AuthorLine] = Field(
        {}, description="any keys (student id, name, …), printed in this order"
    )
    date: str = Field("", description="printed as it is written")
    seed: int = Field(0, ge=0, lt=2**32, description="all that is drawn at random follows from it")
    data: Any = Field(description="which data set: its `kind` and where it is")
    model: Any = Field(description="which network: the default one, or a factory and its weights")
    images: dict[int | str, Index | Literal["auto"]] = Field(
        {}, description="class number (or a free name) → index in the data set, or auto"
    )
    questions: Any = Field(description="the questions of the report, a list")
    references: Any = Field([], description="the reference list, in the order of its numbers")


class QuestionShape(Shape):
    """One question."""

    by_hand = frozenset({"answer"})

    title: Text = Field(description="the heading of the question")
    points: float | None = Field(None, ge=0, description="printed as (2%)")
    tag: Text | None = Field(None, description="a short label, such as free choice")
    collaborators: Text | None = Field(None, description="who worked on it too, or None")
    ask: Text | None = Field(None, description="what is asked")
    answer: Any = Field([], description="the parts of the answer, in order")


class BesideShape(Shape):
    """What may stand beside an analysis in a part of an answer."""

    by_hand = frozenset({"notes"})

    title: Text | None = Field(None, description="a heading of this part")
    text: Text | None = Field(None, description="one text for all pictures of this part")
    notes: Any = Field({}, description="picture → what the author saw in it")


class NoteShape(Shape):
    """A note with a verdict on where the network looked."""

    text: Text = Field(description="what the author saw")
    verdict: Verdict | None = Field(None, description="did the network look at the right thing?")


class ReferenceShape(Shape):
    """One entry of the reference list."""

    text: Text = Field(description="author, title, year")
    key: str = Field("", pattern=REFERENCE_KEY, description="what [@key] in a text links to")
    url: Url | None = Field(None, description="where it can be read")
