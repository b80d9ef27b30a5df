"""What counts as an installed package, for code that a report names."""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path

_TOOLS = frozenset({"torch", "numpy", "scipy", "pip", "setuptools", "pkg_resources", "fervis"})


def places(package: str) -> set[str]:
    """Where a package is found without what a start and the environment put on the path.

    The folder of the started script or the current one, and PYTHONPATH, may hold anybody's code.
    """
    around = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), "", *sys.path[:1]]
    strange = set(map(os.path.realpath, around)) - set(map(os.path.realpath, _folders()))
    path = [each for each in sys.path if os.path.realpath(each) not in strange]
    specs = [PathFinder.find_spec(package, [*path, *_linked()])]
    for finder in sys.meta_path:  # editable installs may have one of their own
        if finder not in (PathFinder, BuiltinImporter, FrozenImporter):
            specs.append(finder.find_spec(package, None))
    return {place(spec) for spec in specs if spec is not None}


def place(spec: ModuleSpec) -> str:
    """The folder of a package or the file of a module, links followed."""
    found = [*(spec.submodule_search_locations or ()), spec.origin or ""]
    return str(os.path.realpath(found[0]))


def is_about_networks(package: str) -> bool:
    """Whether a package depends on torch; one that no installer knows is its author's own."""
    if package in _TOOLS:
        return False
    known = metadata.packages_distributions().get(package)
    return known is None or any(_needs_torch(name) for name in known)


def _needs_torch(distribution: str) -> bool:
    needs = metadata.requires(distribution) or ()
    return any(re.match(r"torch(?![\w.-])", each) and "extra ==" not in each for each in needs)


def _folders() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages()]


def _linked() -> Iterator[str]:
    """Folders that .pth files name: editable installs, perhaps of the current folder."""
    for folder in map(Path, _folders()):
        for file in folder.glob("*.pth"):
            lines = file.read_text("utf-8", "replace").splitlines()
            yield from (each for each in lines if each and not each.startswith(("#", "import")))
