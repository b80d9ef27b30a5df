"""Overrides as docs/templates.md describes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fervis.render.errors import TemplateFileError
from fervis.render.templates import Templates
from tests.cli.conftest import Fervis

DOCS = Path(__file__).resolve().parents[2] / "docs" / "templates.md"


def test_the_example_of_the_documentation_changes_one_block(fervis: Fervis, small: Path) -> None:
    (example,) = re.findall(r"```jinja\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    (small.parent / "templates").mkdir()
    (small.parent / "templates" / "index.html").write_text(example, "utf-8")
    fervis("build", small)
    page = (small.parent / "site" / "index.html").read_text("utf-8")
    assert "I wrote this report myself." in page
    assert "Saliency" in page


def test_an_error_in_an_override_names_file_and_line(fervis: Fervis, small: Path) -> None:
    (small.parent / "templates").mkdir()
    (small.parent / "templates" / "index.html").write_text("\n\n{{ repport }}\n", "utf-8")
    output = fervis("build", small, code=2).output
    assert "templates/index.html:3: " in output
    assert "repport" in output
    assert not (small.parent / "site").exists()


def test_a_page_extends_the_one_that_it_replaces(tmp_path: Path) -> None:
    own, packaged = tmp_path / "own", tmp_path / "packaged"
    for folder, text in (
        (own, '{% extends "packaged/page.html" %}{% block a %}mine, {{ super() }}{% endblock %}'),
        (packaged, "<{% block a %}theirs{% endblock %}>"),
    ):
        folder.mkdir()
        (folder / "page.html").write_text(text, "utf-8")
    assert Templates((own, packaged)).render("page.html", {}) == "<mine, theirs>"
    with pytest.raises(TemplateFileError):
        Templates((own, packaged)).render("packaged/../../page.html", {})
