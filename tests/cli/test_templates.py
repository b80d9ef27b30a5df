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


BLOCK = """{% extends "packaged/index.html" %}
{% block after_answers %}
{{ BAD }}
{% endblock %}"""


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("index.html", "\n\n{{ repport }}\n", 3, "'repport' is undefined"),
        ("index.html", "\n{% if %}\n", 2, "expression"),
        ("index.html", "<p>\n{% for a in b %}\n", 2, "endfor"),
        ("index.html", BLOCK.replace("BAD", "report.tittle"), 3, "tittle"),
        ("index.html", BLOCK.replace("BAD", "md(1, 2, 3, 4)"), 3, "argument"),
        ("index.html", '\n{% extends "packaged/nowhere.html" %}', 2, "packaged/nowhere.html"),
        ("analyses/saliency.html", "\n\n\n{{ block.nothing.at_all }}", 4, "nothing"),
        ("analyses/saliency.html", "\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ("analyses/saliency.html", "{{ }", 1, "unexpected"),
        ("pieces.html", "{% macro figure(shown) %}\n{{ x }}\n{% endmacro %}", None, "no attribute"),
    ],
)
def test_an_error_in_an_override_names_file_and_line(
    fervis: Fervis, project: Path, name: str, text: str, line: int | None, words: str
) -> None:
    before = (project.parent / "site" / "index.html").read_bytes()
    own = project.parent / "templates" / name
    own.parent.mkdir(parents=True)
    own.write_text(text, "utf-8")
    output = fervis("build", project, "--no-pdf", code=2).output
    if line is not None:
        assert f"templates/{name}:{line}: " in output, output
    assert re.search(r"templates/[\w/]+\.html:\d+: ", output)
    assert words in output
    assert "Traceback" not in output
    assert (project.parent / "site" / "index.html").read_bytes() == before


def test_a_partial_and_a_style_of_the_projects_own_win(fervis: Fervis, project: Path) -> None:
    own = project.parent / "templates"
    (own / "analyses").mkdir(parents=True)
    (own / "style").mkdir()
    (own / "analyses" / "saliency.html").write_text(
        "{% for shown in block.shown %}<p class=mine>{{ shown.id }}</p>{% endfor %}", "utf-8"
    )
    (own / "style" / "site.css").write_text("/* mine */", "utf-8")
    said = fervis("build", project, "--no-pdf").output
    assert "index.html" in said
    assert "report.pdf" not in said
    page = (project.parent / "site" / "index.html").read_text("utf-8")
    assert page.count("<p class=mine>") == 4
    assert 'class="part part-gradcam"' in page
    assert (project.parent / "site" / "style" / "site.css").read_text() == "/* mine */"


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
