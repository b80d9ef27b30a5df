"""Compiled templates are kept where Python keeps fervis' own code, and used only as they were."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from fervis.render.compiled import Compiled


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which Python keeps compiled code."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "pycache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "pycache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("{{ 1 + 1 }}")
    (tmp_path / "setup.py").write_text("how templates are compiled")
    return tmp_path / "templates"


def rendered(folder: Path, packaged: Path | None = None) -> tuple[str, int]:
    """The page, and how many templates had to be compiled."""
    count = 0

    class Counting(Environment):
        def compile(self, *args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            return super().compile(*args, **options)

    kept = Compiled(packaged or folder, str(folder.parent / "setup.py"))
    environment = Counting(loader=FileSystemLoader(folder), bytecode_cache=kept, autoescape=True)
    return environment.get_template("page.html").render(), count


def test_a_template_is_compiled_once(place: Path, folder: Path) -> None:
    assert rendered(folder) == ("2", 1)
    assert any(place.rglob("*.pyc"))
    assert rendered(folder) == ("2", 0)


def test_an_edited_template_is_compiled_again(place: Path, folder: Path) -> None:
    rendered(folder)
    (folder / "page.html").write_text("{{ 1 + 2 }}")
    assert rendered(folder) == ("3", 1)


def test_other_code_of_ours_compiles_again(place: Path, folder: Path) -> None:
    rendered(folder)
    (folder.parent / "setup.py").write_text("another way")
    assert rendered(folder) == ("2", 1)


@pytest.mark.parametrize("damage", [lambda b: b[:40], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_damaged_code_is_not_run(place: Path, folder: Path, damage: Any) -> None:
    rendered(folder)
    (file,) = place.rglob("*.pyc")
    file.write_bytes(damage(file.read_bytes()))
    assert rendered(folder) == ("2", 1)
    assert rendered(folder) == ("2", 0)


def test_templates_of_a_report_are_kept_nowhere(place: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "packaged").mkdir()
    assert rendered(folder, packaged=tmp_path / "packaged") == ("2", 1)
    assert rendered(folder, packaged=tmp_path / "packaged") == ("2", 1)
    assert not list(place.rglob("*"))


def test_a_place_that_cannot_be_written_costs_nothing_but_time(place: Path, folder: Path) -> None:
    place.write_text("a file where a folder should be")
    assert rendered(folder) == ("2", 1)
    assert rendered(folder) == ("2", 1)
