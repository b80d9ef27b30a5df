"""Hostile text in every field of a document: it is shown, and does nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from fervis import pipeline
from fervis.render import render, template_folders
from fervis.render.safe import neutral, slug
from fervis.text import Message, Text
from tests.project import write_project
from tests.render.html import elements, tagged
from tests.render.sample import sample

PAYLOAD = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) "
    "{{ 7*7 }} {% raw %} ]]> --> \u202eevil\u2066 \x00 {name} %(name)s 🤖 <b>"
)


def poisoned(value: Any) -> Any:
    """``value`` with PAYLOAD in every text of it."""
    if isinstance(value, str):
        return value + PAYLOAD
    if isinstance(value, Text):
        return Text({key: text + PAYLOAD for key, text in value.by_language.items()})
    if isinstance(value, Message):
        return Message(value.msgid, {key: poisoned(v) for key, v in value.values.items()})
    if isinstance(value, tuple):
        return tuple(map(poisoned, value))
    if isinstance(value, (Path, BaseModel)) or not dataclasses.is_dataclass(value):
        return value
    kept = {
        "svg",
        "png",
        "analysis",
        "role",
        "key",
        "latex",
        "languages",
        "data_kind",
        "data",
        "colour_map",
        "variants",
        "verdict",
        "words",
        "picture",
        "notes",
        "pictures",
        "lines",
        "formula",
        "where",
        "layers",
    }
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if field.name == "notes":
            changes["notes"] = tuple((name, poisoned(note)) for name, note in old)
        elif field.name == "layers":
            changes["layers"] = tuple(
                {k: poisoned(v) if isinstance(v, str) else v for k, v in layer.items()}
                for layer in old
            )
        elif isinstance(old, Mapping) and field.name not in kept:
            changes[field.name] = {k: poisoned(v) for k, v in old.items()}
        elif field.name not in kept:
            changes[field.name] = poisoned(old)
    return dataclasses.replace(value, **changes)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, fonts: Path) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    document = sample(("en",))
    document = dataclasses.replace(poisoned(document), pictures=document.pictures)
    render(document, folder, templates=template_folders(), cache=fonts)
    return folder


SPOKEN = PAYLOAD.replace("\x00", "")  # no report.yaml may have a NUL


def test_a_report_with_markup_everywhere_is_built_and_harmless(tmp_path: Path) -> None:
    """From report.yaml and CSV, through data, network and analyses, to the pages."""
    file = write_project(tmp_path)
    (tmp_path / "log.csv").write_text(
        'epoch,"' + SPOKEN.replace('"', '""') + '_loss",train_loss\n1,3,2\n2,1,1\n', "utf-8"
    )
    report: dict[str, Any] = {
        "version": 1, "languages": ["en"], "title": SPOKEN, "author": {SPOKEN: SPOKEN},
        "data": {"kind": "npz", "path": "pictures.npz", "split": "test",
                 "classes": [f"{n}{SPOKEN}" for n in range(3)]},
        "model": {"factory": "hw3.py:Net", "weights": "best.pt", "size": 24},
        "images": {0: 0, SPOKEN: 3},
    }  # fmt: skip
    report["questions"] = [{
        "title": SPOKEN, "tag": SPOKEN, "collaborators": SPOKEN, "ask": SPOKEN,
        "answer": [
            {"saliency": {"images": "all"}, "title": SPOKEN, "text": SPOKEN,
             "notes": {SPOKEN: SPOKEN}},
            {"predictions": {}}, {"confusion": {}}, {"training": {"log": "log.csv"}},
            {"text": SPOKEN}, {"math": SPOKEN}, {"math": r"\tag{<script>alert(1)</script>}x"},
            {"text": r"See $\href{javascript:alert(1)}{x}$ and $\tag{<b>}x$."},
        ],
    }]  # fmt: skip
    report["references"] = [{"key": "a", "text": SPOKEN, "url": "https://e.org/'\"><script>x"}]
    file.write_text(yaml.safe_dump(report, allow_unicode=True), "utf-8")
    outcome = pipeline.build(file, pdf=False)
    assert outcome.published, outcome.failures
    pages_are_harmless(list(outcome.site.rglob("*.html")))


def test_no_script_handler_or_foreign_address_gets_into_a_page(hostile: Path) -> None:
    pages = list(hostile.rglob("*.html"))
    assert len(pages) > 10
    pages_are_harmless(pages)


def pages_are_harmless(pages: list[Path]) -> None:
    assert pages
    for page in pages:
        assert not set(page.read_text("utf-8")) & set("\u202e\u2066\x00")
        scripts = tagged(page, "script")
        assert [Path(s.attributes["src"]).name for s in scripts] == ["site.js"]
        for element in elements(page):
            assert not any(name.startswith("on") for name in element.attributes), element
            address = element.attributes.get("href", element.attributes.get("src", ""))
            assert not address.strip().lower().startswith(("javascript:", "vbscript:", "//"))
            if element.tag == "img":
                assert element.attributes["src"] != "x"
            assert element.tag != "b"


def test_it_is_shown_as_it_was_written(hostile: Path) -> None:
    text = tagged(hostile / "index.html", "body")[0].content
    for words in ("<script>alert(1)</script>", "{{ 7*7 }}", "{% raw %}", "%(name)s"):
        assert words in text
    assert "49" not in tagged(hostile / "index.html", "h1")[0].content


def test_text_keeps_its_direction(hostile: Path) -> None:
    for page in hostile.rglob("*.html"):
        assert not set(page.read_text("utf-8")) & set("\u202e\u2066\x00")


def test_the_pdf_is_set_all_the_same(hostile: Path) -> None:
    import pikepdf

    with pikepdf.open(hostile / "report.pdf") as pdf:
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        assert "/OpenAction" not in pdf.Root
        for page in pdf.pages:
            for annotation in page.get("/Annots", ()):
                address = str(annotation.get("/A", {}).get("/URI", "https://"))
                assert address.startswith("https://")


def test_file_names_are_plain_whatever_a_picture_is_called() -> None:
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("眼睛 Eyes\x00") == "eyes"
    assert slug("眼睛") == "x"
    assert neutral("a\r\nb\u200fc\ud800") == "a\nbc"
