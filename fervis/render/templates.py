"""Templates: where they lie, how they are read, and where in them an error is."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fervis.render import packaged_templates
from fervis.render.compiled import Compiled
from fervis.render.errors import TemplateFileError
from fervis.render.safe import neutral

PACKAGED = "packaged"
"""`{% extends "packaged/index.html" %}` in a project's own index.html: the one that it replaces."""


class _Folder(FileSystemLoader):
    """A folder of templates; what a link leads out of it is refused."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder.resolve()

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            source, filename, fresh = super().get_source(environment, template)
        except UnicodeDecodeError as error:
            raise TemplateFileError(f"{self._folder / template}:1: not UTF-8: {error}") from error
        if not Path(filename).resolve().is_relative_to(self._folder):
            raise TemplateFileError(f"{filename}:1: leads out of {self._folder}; copy it there")
        return source, filename, fresh


class _Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox, asked once for every attribute of a type: it looks at the type alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._judged: dict[tuple[type, str], bool] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        known = self._judged.get((type(obj), attr))
        if known is None:
            known = self._judged[type(obj), attr] = super().is_safe_attribute(obj, attr, value)
        return known


def asset(name: str, templates: Sequence[Path]) -> bytes:
    """The file ``name`` of the first folder that has it. Raises TemplateFileError."""
    for folder in templates:
        file = folder / name
        if file.is_file():
            if not file.resolve().is_relative_to(folder.resolve()):
                raise TemplateFileError(f"{file}:1: leads out of {folder}; copy it there instead")
            return file.read_bytes()
    raise TemplateFileError(f"{name}: in none of {', '.join(map(str, templates))}")


class Templates:
    """Renders templates by name; of ``folders`` a project's own is the first, fervis' the last."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._environment = _Sandbox(
            loader=ChoiceLoader(
                [*map(_Folder, folders), PrefixLoader({PACKAGED: _Folder(folders[-1])})]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            bytecode_cache=Compiled(packaged_templates(), __file__),
        )

    def exists(self, name: str) -> bool:
        """Whether any folder has the template."""
        return any((folder / name).is_file() for folder in self._folders)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The page. Raises TemplateFileError with the file and line of what is wrong."""
        try:
            return neutral(str(self._environment.get_template(name).render(values)))
        except TemplateFileError:
            raise
        except TemplateSyntaxError as error:
            place = f"{error.filename or error.name}:{error.lineno}"
            raise TemplateFileError(f"{place}: {error.message}") from error
        except TemplateNotFound as error:
            raise TemplateFileError(f"{self._place(error, name)}: no template {error}") from error
        except Exception as error:
            place = self._place(error, name)
            raise TemplateFileError(f"{place}: {type(error).__name__}: {error}") from error

    def _place(self, error: BaseException, name: str) -> str:
        """file:line of the innermost template that ``error`` passed through."""
        roots = tuple(str(folder) for folder in self._folders)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename.startswith(roots) and frame.filename.endswith((".html", ".xml")):
                return f"{frame.filename}:{frame.lineno}"
        return name
