"""Start a project: a folder with a report.yaml that fits the data and the network at hand."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2

from fervis import data as data_sets
from fervis import spec
from fervis.analyses import REGISTRY
from fervis.errors import MachineError
from fervis.model.options import ModelOptions
from fervis.project.found import Found, Wish, look, one_line, seen_from
from fervis.render import packaged_templates

SCHEMA = "report.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA}\n"
WORKFLOW = Path(".github") / "workflows" / "pages.yml"
TEMPLATES = "project"  # in templates/: what a new project is made of


@dataclass(frozen=True)
class Started:
    """What was written, in order, and sentences about what was found and what to look at."""

    written: tuple[Path, ...]
    found: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def start(
    folder: Path, wish: Wish | None = None, *, templates: bool = False, workflow: bool | None = None
) -> Started:
    """Writes report.yaml, its schema, Makefile, .gitignore and a workflow for GitHub Pages.

    With an empty ``wish`` it is the default report on rendered faces. ``templates`` copies the
    pages' templates to change them. ``workflow`` None: only where the data may be published. What
    is there already is left alone. Raises MachineError if report.yaml is there, DataError or
    ModelError where data or network cannot be read.
    """
    wish = wish or Wish()
    report = folder / "report.yaml"
    if report.exists():
        raise MachineError(f"{report} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    found = None if wish.empty else look(folder, wish)
    content = {
        "report.yaml": SCHEMA_LINE + (_fitted(found) if found else _default()),
        SCHEMA: json_schema(),
        "Makefile": _made("Makefile.j2", fervis=_command(folder)),
        ".gitignore": _made("gitignore.j2", ignored=_private(folder, wish, found)),
    }
    public = found is None or found.dataset.redistributable
    if public if workflow is None else workflow:
        content[str(WORKFLOW)] = _made("pages.yml")
    written = [*_write(folder, content)]
    if templates and not (folder / "templates").exists():
        skip = shutil.ignore_patterns(TEMPLATES)
        shutil.copytree(packaged_templates(), folder / "templates", ignore=skip)
        written.append(folder / "templates")
    warnings = () if found is None else found.warnings
    if not public and workflow is None:
        warnings += (
            "no workflow for GitHub Pages was written: it would need the data, which may not be "
            "published in bulk. `fervis publish` puts a finished site/ there",
        )
    return Started(tuple(written), () if found is None else found.sentences, warnings)


def json_schema() -> str:
    """The JSON Schema of report.yaml, as a file's text."""
    schema = spec.schema(REGISTRY, data_sets.KINDS, ModelOptions)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def default_report() -> Path:
    """The report that comes with fervis: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    for path in (package / "_project" / "report.yaml", package.parent / "report.yaml"):
        if path.is_file():
            return path
    raise MachineError("this installation of fervis lacks its default report.yaml; reinstall it")


def _default() -> str:
    return default_report().read_text("utf-8")


def _fitted(found: Found) -> str:
    return _made("report.yaml.j2", found=found)


def _made(name: str, **values: object) -> str:
    """A file of ``templates/project/``, filled in. A project's own templates have no say here."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(packaged_templates() / TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (YAML and Makefiles, not HTML)
    )
    environment.filters["one_line"] = one_line
    if not name.endswith(".j2"):  # ${{ … }} in a workflow is not for us
        return (packaged_templates() / TEMPLATES / name).read_text("utf-8")
    return environment.get_template(name).render(**values)


def _command(folder: Path) -> str:
    """How ``make`` calls fervis from ``folder``: by name where it is on the PATH."""
    beside = Path(sys.executable).with_name("fervis")
    if shutil.which("fervis") or not beside.exists():
        return "fervis"
    return os.path.relpath(beside, folder.absolute())


def _private(folder: Path, wish: Wish, found: Found | None) -> list[str]:
    """What of the data lies in the project and must not be pushed, as .gitignore writes it."""
    if found is None or wish.data is None or found.dataset.redistributable:
        return []
    inside = seen_from(folder, wish.data)
    if inside.startswith("..") or Path(inside).is_absolute():
        return []
    escaped = "".join(f"\\{letter}" if letter in "*?[]!#\\ " else letter for letter in inside)
    return [f"/{escaped}"]


def _write(folder: Path, content: dict[str, str]) -> Iterator[Path]:
    try:
        for name, text in content.items():
            path = folder / name
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            yield path
    except OSError as error:
        raise MachineError(f"{folder}: cannot be written: {error}") from error
