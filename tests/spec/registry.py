"""Small registries for the tests of this room, a good report, and a way to ask for complaints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fervis import spec
from fervis.errors import Complaint, ReportError
from fervis.spec.report import Report
from fervis.text import Text


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Saliency(Strict):
    images: Literal["all"] | str | list[int | str] = Field("all", description="which pictures")
    quantile: float = Field(0.7, gt=0, lt=1, description="how much is covered")

    def selection(self) -> str | list[int | str]:
        return self.images


class Filters(Strict):
    layer: str = Field(description="which layer")
    first: int | None = Field(None, ge=1)
    channels: list[int] | None = None


class Activations(Filters):
    layer: str = "conv2"
    image: int | str = 0

    def selection(self) -> list[int | str]:
        return [self.image]


class Nested(Strict):
    depth: int = 1


class Odd(Strict):
    """Whatever else a model can ask for."""

    exact: bool = False
    pair: tuple[int, int] = (1, 2)
    names: list[Text] = Field(default_factory=list)
    inside: Nested = Nested()
    mode: Literal["fast", "slow"] = "fast"
    counts: dict[str, int] = Field(default_factory=dict)

    @field_validator("pair")
    @classmethod
    def _rising(cls, pair: tuple[int, int]) -> tuple[int, int]:
        if pair[0] > pair[1]:
            raise ValueError("the second number is the larger one")
        return pair


class Faces(Strict):
    kind: Literal["faces"] = "faces"
    split: Literal["train", "test"] = "test"


class Csv(Strict):
    kind: Literal["fer2013"] = "fer2013"
    path: Path = Field(description="the CSV file")


class Model(Strict):
    kind: Literal["default"] | None = None
    factory: str | None = None
    weights: Path | None = None
    size: int | tuple[int, int] = 48
    mean: float | list[float] = 0.0
    args: dict[str, Any] = Field(default_factory=dict)


ANALYSES = {
    "saliency": SimpleNamespace(Options=Saliency),
    "filters": SimpleNamespace(Options=Filters),
    "activations": SimpleNamespace(Options=Activations),
    "odd": SimpleNamespace(Options=Odd),
}
DATASETS: dict[str, type[BaseModel]] = {"faces": Faces, "fer2013": Csv}

GOOD = """\
version: 1
title: {zh-Hant: 報告, en: Report}
author: {student id: 0123456, department: {zh-Hant: 資工系, en: CSIE}}
data: {kind: faces}
model: {kind: default}
images: {0: 12, 1: auto, eyes: 812}
questions:
  - title: One
    points: 2
    collaborators: None
    answer:
      - saliency: {images: [1, 0]}
        notes: {0: no, 1: {text: brows, verdict: partly}}
      - filters: {layer: conv2, first: 32}
      - text: '*bold*'
      - math: L^c = 1
  - title: Two
    answer:
      - saliency:
        text: {zh-Hant: 看, en: look}
references:
  - A paper
  - {key: b, text: Another, url: "https://example.org/b"}
"""


def load(folder: Path, text: str | bytes, *overrides: str) -> Report:
    file = folder / "report.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return spec.load(file, analyses=ANALYSES, datasets=DATASETS, model=Model, overrides=overrides)


def complaints(folder: Path, text: str | bytes, *overrides: str) -> Sequence[Complaint]:
    try:
        load(folder, text, *overrides)
    except ReportError as error:
        return error.complaints
    return ()


def only(folder: Path, text: str | bytes, *overrides: str) -> Complaint:
    """The one complaint that there has to be."""
    found = complaints(folder, text, *overrides)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def with_line(number: int, line: str) -> str:
    """GOOD with another line ``number`` (from 1)."""
    lines = GOOD.splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


def with_part(part: str) -> str:
    """A report with one part; its text begins in line 10, column 7."""
    head = GOOD[: GOOD.index("questions:")]
    body = "".join(f"      {line}\n" for line in part.splitlines())
    return f"{head}questions:\n  - title: One\n    answer:\n{body}"
