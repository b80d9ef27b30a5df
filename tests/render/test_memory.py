"""Pages remembered from the last build are those that would be rendered now, whatever changed."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
from jinja2 import Environment, nodes

from fervis.render import files, packaged_templates, render, seal, template_folders
from fervis.render.document import Document
from fervis.render.memory import digest_of
from fervis.render.templates import Templates
from fervis.render.view import View
from tests.render.sample import sample

Path_ = tuple[str | int, ...]
NO_TEXT = {"role", "kind", "analysis", "verdict"}  # one of a few words
UNSEEN = {"file", "lines", "overridden", "where", "seed", "data_kind", "languages", "pictures"}
"""Fields of a report that no page shows; of ``pictures`` the document has its own."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user with a cache folder of their own."""
    folder = tmp_path / "home"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: folder)
    seal._key.cache_clear()
    yield folder
    seal._key.cache_clear()


class Builder:
    """Builds again and again with one cache, each time in the place of the last site."""

    def __init__(self, folder: Path, fonts: Path) -> None:
        self.site, self.cache = folder / "site", folder / "cache"
        self.cache.mkdir()
        (self.cache / "kept").symlink_to(fonts / "kept")

    def build(self, document: Document) -> Path:
        fresh = self.site.with_name("fresh")
        fresh.mkdir()
        _render(document, fresh, self.cache, last=self.site, made_by="a version")
        shutil.rmtree(self.site, ignore_errors=True)
        return fresh.rename(self.site)


def _render(document: Document, folder: Path, cache: Path, **how: Any) -> None:
    how = {"templates": template_folders(), **how}
    render(document, folder, pdf=False, cache=cache, **how)


def _files(site: Path) -> dict[str, bytes]:
    found = (file for file in site.rglob("*") if file.is_file())
    return {str(file.relative_to(site)): file.read_bytes() for file in found}


@pytest.fixture
def builder(tmp_path: Path, fonts: Path, site: Path) -> Builder:
    del site  # its fonts and formulas are in ``fonts``
    return Builder(tmp_path, fonts)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were rendered."""
    names: list[str] = []
    whole = Templates.render

    def spy(self: Templates, name: str, values: Mapping[str, Any]) -> str:
        names.append(name)
        return whole(self, name, values)

    monkeypatch.setattr(Templates, "render", spy)
    return names


def _leaves(value: object, path: Path_ = ()) -> Iterator[Path_]:
    """The path of every text, number and array below a value."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in UNSEEN | NO_TEXT:
                yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, tuple | list):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, place))
    elif isinstance(value, int | float | np.ndarray) or (isinstance(value, str) and value):
        yield path


def _kind(path: Path_) -> tuple[str, ...]:
    """What tells one sort of place from another: ("answers", "#", "#", "shown", "#", …)."""
    free = ("by_language", "values", "words", "variants", "methods", "pictures", "data")
    above = ("", *path)
    return tuple(
        "#" if isinstance(step, int) or before in free else step
        for before, step in zip(above, path, strict=False)
    )


def _changed(value: Any, path: Path_) -> Any:
    """``value`` with another text, number or array at ``path``."""
    if path and dataclasses.is_dataclass(value):
        name = str(path[0])
        return dataclasses.replace(value, **{name: _changed(getattr(value, name), path[1:])})
    if path and isinstance(value, Mapping):
        return {**value, path[0]: _changed(value[path[0]], path[1:])}
    if path:
        place = int(path[0])
        return (*value[:place], _changed(value[place], path[1:]), *value[place + 1 :])
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(np.roll(value, 1))
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value.replace("Predicted", "Expected") if "<svg" in value else f"{value} ×"
    return value + type(value)(1)


def test_after_any_change_the_site_is_what_it_would_be_from_scratch(
    tmp_path: Path, builder: Builder, fonts: Path
) -> None:
    document = sample()
    builder.build(document)
    places = {_kind(path): path for path in _leaves(document)}
    assert len(places) > 60
    for number, path in enumerate(places.values()):
        changed = _changed(document, path)
        scratch = tmp_path / f"scratch-{number}"
        scratch.mkdir()
        _render(changed, scratch, fonts)
        assert _files(builder.build(changed)) == _files(scratch), path


def test_only_what_changed_is_rendered(builder: Builder, rendered: list[str]) -> None:
    document = sample()
    builder.build(document)
    everything = sorted(rendered)
    rendered.clear()
    builder.build(document)
    assert rendered == ["index.html", "index.html"]  # of two languages, with their parts recalled
    rendered.clear()
    question = document.report.questions[0]
    note = question.answer[0].notes[0]
    place = ("questions", 0, "answer", 0, "notes", 0, 1, "text", "by_language", "en")
    report = _changed(document.report, place)
    block = _changed(document.answers[0][0], ("part", *place[4:]))
    answers = ((block, *document.answers[0][1:]), *document.answers[1:])
    builder.build(dataclasses.replace(document, report=report, answers=answers))
    assert note[0] == 0
    assert rendered == ["index.html", "image.html"] * 2
    assert len(everything) > 20


def test_pages_of_pictures_that_are_shown_no_more_are_forgotten(builder: Builder) -> None:
    document = sample()
    builder.build(document)
    pages = builder.cache / "last" / "pages"
    gone = f"image-{document.pictures[3].index}.html"
    assert len(list(pages.rglob(f"*{gone}"))) == 2
    changed = dataclasses.replace(document.pictures[3], index=59)
    builder.build(dataclasses.replace(document, pictures={**document.pictures, 3: changed}))
    assert not list(pages.rglob(f"*{gone}"))
    assert len(list(pages.rglob("*image-59.html"))) == 2


def test_another_version_of_fervis_or_of_its_templates_remembers_nothing(
    tmp_path: Path, builder: Builder, rendered: list[str]
) -> None:
    builder.build(sample())
    everything = sorted(rendered)
    for made_by in ("another version", ""):
        rendered.clear()
        folder = tmp_path / f"by {made_by}"
        folder.mkdir()
        _render(sample(), folder, builder.cache, last=builder.site, made_by=made_by)
        assert sorted(rendered) == everything


def test_a_project_s_own_templates_may_say_anything_anywhere(
    tmp_path: Path, builder: Builder
) -> None:
    own = tmp_path / "project" / "templates"
    own.mkdir(parents=True)
    (own / "methods.html").write_text("{{ report.author[0][1].by_language.values()|list }}")
    templates = template_folders(tmp_path / "project")
    document, place = sample(), ("report", "author", 0, 1, "by_language")
    author = document.report.author[0][1].by_language
    for name in ("Lin", "Wang"):
        folder = tmp_path / name
        folder.mkdir()
        changed = document
        for language in author:
            changed = _changed(changed, (*place, language))
        document = changed
        _render(document, folder, builder.cache, made_by="a version", templates=templates)
    before, after = ((tmp_path / name / "methods.html").read_text() for name in ("Lin", "Wang"))
    assert after.count("×") == 2 * before.count("×") > 0


@pytest.mark.parametrize("stranger", ["key", "content"])
def test_a_stranger_s_pages_are_not_believed(
    builder: Builder, home: Path, rendered: list[str], stranger: str
) -> None:
    site = _files(builder.build(sample()))
    everything = sorted(rendered)
    rendered.clear()
    if stranger == "key":
        (home / "seal.key").write_bytes(b"k" * 32)
        seal._key.cache_clear()
    else:
        for file in (builder.cache / "last" / "pages").glob("*/*"):
            file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert _files(builder.build(sample())) == site
    assert sorted(rendered) == everything


def test_the_key_is_nobody_else_s(builder: Builder, home: Path) -> None:
    builder.build(sample())
    key = home / "seal.key"
    assert len(key.read_bytes()) == 32
    assert os.name == "nt" or key.stat().st_mode & 0o777 == 0o600
    assert list(home.iterdir()) == [key]


def test_without_a_folder_for_the_key_every_page_is_rendered(
    tmp_path: Path, builder: Builder, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "a file")
    seal._key.cache_clear()
    builder.build(sample())
    everything = sorted(rendered)
    rendered.clear()
    builder.build(sample())
    assert sorted(rendered) == everything


def test_a_file_of_the_last_site_that_somebody_changed_is_written_again(builder: Builder) -> None:
    site = builder.build(sample())
    whole = _files(site)
    shot = next(iter(site.glob("gallery/*.png")))
    shot.write_bytes(b"x" * shot.stat().st_size)
    (site / "index.html").write_bytes(b"y" * len(whole["index.html"]))
    assert _files(builder.build(sample())) == whole


def test_a_picture_is_encoded_once(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[np.ndarray] = []
    encode = files._png

    def spy(image: np.ndarray) -> bytes:
        encoded.append(image)
        return encode(image)

    monkeypatch.setattr(files, "_png", spy)
    document = sample()
    whole = _files(builder.build(document))
    assert len(encoded) > 60
    encoded.clear()
    assert _files(builder.build(document)) == whole
    assert not encoded
    picture = document.pictures[3]
    changed = dataclasses.replace(picture, image=255 - picture.image)
    pictures = {**document.pictures, 3: changed}
    builder.build(dataclasses.replace(document, pictures=pictures))
    assert len(encoded) == 1


def test_equal_values_have_equal_digests_and_others_have_not() -> None:
    one, other = sample(), sample()
    assert digest_of(one.gallery) == digest_of(other.gallery)
    assert digest_of(one.answers[0][0].part) == digest_of(other.answers[0][0].part)
    assert digest_of(np.zeros((2, 3))) != digest_of(np.zeros((3, 2)))
    assert digest_of(np.zeros(2, np.int32)) != digest_of(np.zeros(2, np.float32))
    assert digest_of(one.report) != digest_of(_changed(one, ("report", "date")).report)


FRAME = {
    "report.title",
    "report.date",
    "document.dataset",
    "document.split",
    "document.dataset_size",
    "document.network.name",
    "document.network.parameters",
}
MAY_SAY: Mapping[str, set[str]] = {
    "base.html": FRAME,
    "image.html": {"document.split"},
    "network.html": {
        "document.accuracy",
        "document.split",
        "document.versions.items",
        "document.network",
        "view.training",
    },
    "methods.html": {"document.methods.items"},
    "confusion.html": {"document.dataset_size", "document.split", "view.gallery", "view.uses"},
    "pieces.html": {"view"},  # what a macro calls a panel
    "analyses/": {"view.gallery", "document.split"},
}
"""What the templates of remembered pages and parts say of what is not handed to them by name."""


def _said(environment: Environment, source: str) -> Iterator[str]:
    """``document.network.name`` for every such attribute of a template, its longest form."""
    tree = environment.parse(source)
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Name)]:
        steps: list[str] = []
        step: nodes.Node = node
        while isinstance(step, nodes.Getattr):
            steps.append(step.attr)
            step = step.node
        if isinstance(step, nodes.Name) and step.name in ("document", "view", "report"):
            of_all = step.name != "view" or not steps or steps[-1] in View.__dataclass_fields__
            if id(node) not in inner and of_all:
                yield ".".join([step.name, *reversed(steps)])


def test_remembered_pages_say_nothing_that_is_not_looked_at(tmp_path: Path) -> None:
    folder = packaged_templates()
    environment = Templates(template_folders(tmp_path))._environment
    seen: Sequence[Path] = [
        file
        for file in sorted(folder.rglob("*.html"))
        if not file.relative_to(folder).parts[0].startswith("project")
    ]
    assert len(seen) > 15
    for file in seen:
        name = file.relative_to(folder).as_posix()
        allowed = MAY_SAY.get(name, MAY_SAY["analyses/"] if name.startswith("analyses/") else None)
        if allowed is not None:
            said = set(_said(environment, file.read_text("utf-8")))
            surplus = {one for one in said if not any(_covers(may, one) for may in allowed)}
            assert not surplus, f"{name}: {surplus}"


def _covers(allowed: str, said: str) -> bool:
    return said == allowed or ("." in allowed and said.startswith(f"{allowed}."))
