"""Templates: the project's own win, and an error names its file and line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fervis.render import packaged_templates, render, template_folders
from fervis.render.errors import TemplateFileError
from fervis.render.templates import Templates, asset
from tests.render.html import classed
from tests.render.sample import sample


def _project(tmp_path: Path, **files: str) -> tuple[Path, ...]:
    folder = tmp_path / "project" / "templates"
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_html", ".html")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    return template_folders(tmp_path / "project")


def test_a_project_without_templates_uses_the_packaged_ones(tmp_path: Path) -> None:
    assert template_folders(tmp_path) == (packaged_templates(),)
    assert (packaged_templates() / "index.html").is_file()
    assert template_folders(packaged_templates().parent) == (packaged_templates(),)


def test_a_file_of_the_same_name_wins_and_blocks_can_be_filled(tmp_path: Path, fonts: Path) -> None:
    folders = _project(
        tmp_path,
        index_html='{% extends "report.html" %}',
        report_html="",
        analyses__saliency_html='<p class="mine">{{ block.shown|length }}</p>',
    )
    (folders[0] / "index.html").unlink()
    (folders[0] / "report.html").unlink()
    out = tmp_path / "out"
    out.mkdir()
    render(sample(("en",)), out, templates=folders, pdf=False, cache=fonts)
    assert [e.content for e in classed(out / "index.html", "mine")] == ["7"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("<p>\n{% if %}\n</p>", 2, "Expected an expression"),
        ("<p>\n\n{{ nobody.knows }}", 3, "'nobody' is undefined"),
        ("{% include 'nothing.html' %}", 1, "nothing.html"),
        ("\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("\n\n\n{{ 1 / 0 }}", 4, "division by zero"),
    ],
)
def test_an_error_names_file_and_line(
    tmp_path: Path, fonts: Path, text: str, line: int, words: str
) -> None:
    folders = _project(tmp_path, analyses__saliency_html=text)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(TemplateFileError) as caught:
        render(sample(("en",)), out, templates=folders, pdf=False, cache=fonts)
    place = f"{folders[0] / 'analyses' / 'saliency.html'}:{line}: "
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


def test_what_leads_out_of_the_templates_is_refused(tmp_path: Path) -> None:
    folders = _project(tmp_path)
    secret = tmp_path / "secret.html"
    secret.write_text("secret")
    (folders[0] / "leak.html").symlink_to(secret)
    with pytest.raises(TemplateFileError, match="leads out"):
        Templates(folders).render("leak.html", {})
    with pytest.raises(TemplateFileError, match="leads out"):
        asset("leak.html", folders)
    with pytest.raises(TemplateFileError):
        Templates(folders).render("../../secret.html", {})


def test_a_folder_of_templates_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "templates").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TemplateFileError, match="leads out"):
        template_folders(tmp_path / "project")


@pytest.mark.parametrize(
    "source",
    ["file:///etc/passwd", "http://169.254.169.254/", "/etc/passwd", "../../../../etc/passwd",
     "packaged/../../../etc/passwd", "/dev/zero", "pipe.html", "a\\0b"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["include", "extends", "import"])
def test_a_template_takes_in_nothing_from_elsewhere(tmp_path: Path, source: str, how: str) -> None:
    folders = _project(tmp_path, x_html=f"{{% {how} '{source}'{' as y' * (how == 'import')} %}}")
    os.mkfifo(folders[0] / "pipe.html")
    with pytest.raises(TemplateFileError) as caught:
        Templates(folders).render("x.html", {})
    assert f"{folders[0] / 'x.html'}:1: " in str(caught.value)


def test_text_is_escaped_in_elements_and_attributes(tmp_path: Path) -> None:
    folders = _project(tmp_path, x_html='<p title="{{ t }}">{{ t }}</p>')
    page = Templates(folders).render("x.html", {"t": "\"><script>'\u202e"})
    assert page == '<p title="&#34;&gt;&lt;script&gt;&#39;">&#34;&gt;&lt;script&gt;&#39;</p>'


def test_what_one_object_may_do_no_other_may(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ once.append(1) }}{{ twice.append(2) }}")

    class Free:
        def append(self, value: int) -> str:
            return f"appended {value}, "

    templates, changed = Templates([tmp_path]), list[int]()
    assert templates.render("page.html", {"once": Free(), "twice": Free()}).count("appended") == 2
    with pytest.raises(TemplateFileError, match="unsafe"):
        templates.render("page.html", {"once": Free(), "twice": changed})
    assert changed == []
