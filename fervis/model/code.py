"""Python code that a report names: found inside its folder, imported without leaving a trace.

No torch here: the fingerprint needs these rules, too.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.machinery import ModuleSpec, PathFinder
from inspect import isclass, isroutine
from pathlib import Path
from types import ModuleType
from typing import Any

from fervis.errors import ModelError
from fervis.model import installed
from fervis.model.told import told

_NEVER_LOCAL = frozenset(sys.stdlib_module_names) | {"fervis", "numpy", "torch"}


@dataclass(frozen=True)
class Target:
    """`path/to/file.py:Name` (``file`` is set, resolved) or `package.module:Name`."""

    text: str
    name: str
    module: str
    file: Path | None


def parse(text: str, folder: Path, field: str = "factory") -> Target:
    """Reads a target; ``field`` is the option it comes from, for messages.

    Raises ModelError where it is malformed, where its file is missing, or where the file lies
    outside ``folder`` once symbolic links are followed.
    """
    place, colon, name = text.rpartition(":")
    if not (colon and place and name):
        raise ModelError(
            f"model.{field}: {text!r} names nothing; expected `path/to/file.py:Name` or "
            "`package.module:Name`"
        )
    if not (place.endswith(".py") or "/" in place or "\\" in place):
        return Target(text, name, place, None)
    inside = folder.resolve()
    try:
        file = (folder / place).resolve()
        found = file.is_file()
    except (OSError, ValueError) as error:  # such as a name that is too long
        raise ModelError(f"model.{field}: {place}: {error}") from error
    if not file.is_relative_to(inside):
        raise ModelError(
            f"model.{field}: {place} lies outside the report's folder {inside}; code runs only "
            "from inside it (copy the file there) or from an installed package"
        )
    if not found:
        near = get_close_matches(Path(place).name, [p.name for p in file.parent.glob("*.py")], 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ModelError(f"model.{field}: there is no file {file}{hint}")
    return Target(text, name, file.stem, file)


def roots(folder: Path, file: Path | None) -> tuple[Path, ...]:
    """Where modules that ``file`` imports are looked for: beside it, then the report's folder.

    A file that imports relatively is part of a package: beside it then means beside the package.
    """
    if file is None:
        return ()
    base = file.parent
    if _imports_relatively(file):
        while (base / "__init__.py").is_file() and base != folder:
            base = base.parent
    return (base,) if base == folder else (base, folder)


def _imports_relatively(file: Path) -> bool:
    try:
        nodes = ast.walk(ast.parse(file.read_bytes()))
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.ImportFrom) and node.level > 0 for node in nodes)


class LocalCode:
    """The modules of a report's folder, importable by each other inside the ``with`` only.

    A finder placed first looks for top-level modules beside the named file and in the report's
    folder; at the end the modules leave ``sys.modules`` (and come back at the next ``with``), so
    that two reports may each have their own ``hw3.py`` and ``blocks.py``.
    """

    def __init__(self, folder: Path, file: Path | None) -> None:
        self.folder = folder.resolve()
        self.roots = roots(self.folder, file)
        self._found: set[str] = set()
        self._modules: dict[str, ModuleType] = {}
        self._hidden: dict[str, ModuleType] = {}
        self._path: list[str] = []
        self._writes = False
        self._depth = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Part of the import system: the spec of a top-level module of this report, or None."""
        del target
        if path is not None:
            spec = PathFinder.find_spec(name, path) if _top(name) in self._found else None
        elif name in _NEVER_LOCAL:
            return None
        else:
            spec = PathFinder.find_spec(name, list(map(str, self.roots)))
            if spec is not None and spec.origin is None and PathFinder.find_spec(name):
                return None  # a plain folder gives way to an installed package of that name
        if spec is None:
            return None
        if spec.origin and not Path(spec.origin).resolve().is_relative_to(self.folder):
            raise ModuleNotFoundError(f"{name} leads out of the report's folder", name=name)
        self._found.add(_top(name))
        return spec

    def load(self, file: Path) -> ModuleType:
        """Runs ``file`` as a module, inside the ``with``."""
        parts = file.relative_to(self.roots[0]).with_suffix("").parts
        if len(parts) > 1:
            return importlib.import_module(".".join(parts))
        name = file.stem if file.stem not in _NEVER_LOCAL else f"{file.stem}_of_report"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ModelError(f"{file} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        self._found.add(name)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def __enter__(self) -> LocalCode:
        self._depth += 1
        if self._depth == 1 and self.roots:
            self._path = list(sys.path)
            self._hidden = {name: sys.modules.pop(name) for name in self._strangers()}
            sys.modules.update(self._modules)
            sys.meta_path.insert(0, self)
            self._writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self.roots:
            sys.meta_path.remove(self)
            sys.dont_write_bytecode = self._writes
            sys.path[:] = self._path
            for name in [name for name in sys.modules if _top(name) in self._found]:
                self._modules[name] = sys.modules.pop(name)
            sys.modules.update(self._hidden)

    def _strangers(self) -> list[str]:
        """Names in ``sys.modules`` that hide a module of this report."""
        if self._modules:
            return [name for name in self._modules if name in sys.modules]
        local = {
            entry.stem
            for root in self.roots
            for entry in root.iterdir()
            if entry.suffix == ".py" or (entry / "__init__.py").is_file()
        } - _NEVER_LOCAL
        return [name for name in sys.modules if _top(name) in local]


def _top(name: str) -> str:
    return name.partition(".")[0]


def load_object(target: Target, code: LocalCode, field: str = "factory") -> Any:
    """The object that ``target`` names. Raises ModelError with the place of what went wrong."""
    if target.file is None:
        _require_installed(target, code.folder, field)
    try:
        with code:
            module = (
                code.load(target.file) if target.file else importlib.import_module(target.module)
            )
    except ModelError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and _is_missing(error, target):
            raise ModelError(
                f"model.{field}: there is no installed package {target.module!r}"
                + _hint_of_file(target, code.folder)
            ) from error
        raise ModelError(f"model.{field}: {told(error, code.folder)}") from error
    found: Any = module
    for part in target.name.split("."):
        names = [name for name in dir(found) if not name.startswith("_")]
        if not hasattr(found, part):
            near = get_close_matches(part, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ModelError(f"model.{field}: {target.text} has no {part!r}{hint}")
        found = getattr(found, part)
    if (isroutine(found) or isclass(found)) and _origin(found) in sys.stdlib_module_names:
        raise ModelError(
            f"model.{field}: {target.text} is part of Python itself ({_origin(found)}); expected "
            "code of the report's folder or of an installed package"
        )
    return found


def _require_installed(target: Target, folder: Path, field: str) -> None:
    """Raises ModelError where a package is Python's own or merely happens to lie on the path."""
    name = _top(target.module)
    if name in sys.stdlib_module_names:
        raise ModelError(
            f"model.{field}: {target.module} is part of Python itself; expected an installed "
            "package that has networks"
        )
    try:
        found = importlib.util.find_spec(name)
    except ValueError:  # a module made by hand, in sys.modules
        found = None
    if (
        found is not None
        and name != "fervis"
        and installed.place(found) not in installed.places(name)
    ):
        raise ModelError(
            f"model.{field}: {name} is not installed but found by PYTHONPATH or in the current "
            "folder; install it, or name a file inside the report's folder"
            + _hint_of_file(target, folder)
        )


def require_network_code(found: Any, target: Target, field: str = "factory") -> None:
    """Raises ModelError where a function of an installed package is not there for networks.

    With the right arguments such functions do anything: `yaml.unsafe_load` runs what it reads.
    """
    if target.file is None and not installed.is_about_networks(_origin(found)):
        raise ModelError(
            f"model.{field}: {target.text} is a function of a tool ({_origin(found)}); expected "
            "one of a package that depends on torch, or of a file in the report's folder, which "
            "may call it"
        )


def _origin(found: Any) -> str:
    """The top-level package of an object, or of its type."""
    return _top(getattr(found, "__module__", None) or type(found).__module__ or "builtins")


def _is_missing(error: ModuleNotFoundError, target: Target) -> bool:
    return target.file is None and f"{target.module}.".startswith(f"{error.name}.")


def _hint_of_file(target: Target, folder: Path) -> str:
    file = Path(*target.module.split(".")).with_suffix(".py")
    return f" (did you mean {file}:{target.name}?)" if (folder / file).is_file() else ""
