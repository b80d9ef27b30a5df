"""The files and folders that a report is made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, DefaultFilter

from fervis import spec
from fervis.analyses import REGISTRY
from fervis.data import KINDS, FileOptions
from fervis.engine import ground
from fervis.engine.ground import model_options
from fervis.errors import FervisError
from fervis.model.code import parse, roots
from fervis.model.fingerprint import sources as modules_of
from fervis.model.options import ModelOptions
from fervis.spec.report import Report

Snapshot = dict[str, tuple[int, int]]
_ignored = DefaultFilter()


@dataclass(frozen=True)
class Sources:
    """Absolute paths: single files, folders with all below, and folders whose ``*.py`` count."""

    files: frozenset[Path]
    folders: frozenset[Path] = frozenset()
    code: frozenset[Path] = frozenset()

    def __or__(self, other: Sources) -> Sources:
        return Sources(
            self.files | other.files, self.folders | other.folders, self.code | other.code
        )

    def concern(self, change: Change, path: str) -> bool:
        """Whether a change of ``path`` may change the report: a filter for watchfiles."""
        where = Path(path)
        if where in self.files or where in self.folders:
            return True
        if where.suffix == ".py" and where.parent in self.code:
            return True
        if not any(where.is_relative_to(folder) for folder in self.folders):
            return False
        return _ignored(change, path)

    def watched(self) -> tuple[frozenset[Path], frozenset[Path]]:
        """Existing folders to watch, (for what lies in them, for all below).

        Never a file itself: editors put a new one in its place.
        """
        below = frozenset(folder for folder in self.folders if folder.is_dir())
        parents = {path.parent for path in (*self.files, *self.folders)} | self.code
        return frozenset(folder for folder in parents if folder.is_dir()), below

    def snapshot(self, *, files_only: bool = False) -> Snapshot:
        """Time and size of every file; what is missing is left out."""
        found: Snapshot = {}
        for path in self.files if files_only else (*self.files, *self._below()):
            try:
                state = path.stat()
            except (OSError, ValueError):
                continue
            found[str(path)] = (state.st_mtime_ns, state.st_size)
        return found

    def _below(self) -> Iterator[Path]:
        for folder in (*self.folders,):
            for above, _, names in os.walk(folder):
                yield from (Path(above, name) for name in names if not name.startswith("."))
        for folder in self.code:
            yield from folder.glob("*.py")


def sources_of(file: Path) -> Sources:
    """All that the report in ``file`` names; of a report that cannot be read, what is sure.

    Runs none of the report's code: that happens in the process that builds.
    """
    files, folders, code = {file}, {file.parent / "templates"}, set[Path]()
    try:
        report = spec.load(file, analyses=REGISTRY, datasets=KINDS, model=ModelOptions)
    except FervisError:
        return _everywhere(files, folders, code)
    for path in _data(report):
        (folders if path.is_dir() else files).add(path)
    model = model_options(report)
    if model.weights is not None:
        files.add(report.folder / model.weights)
    for module in _code(model, report.folder):
        files.add(module)
        code.add(module.parent)
    files.update(ground.log_files(report))
    return _everywhere(files, folders, code)


def _data(report: Report) -> Iterable[Path]:
    return [report.data.source(report.folder)] if isinstance(report.data, FileOptions) else []


def _code(model: ModelOptions, folder: Path) -> Iterator[Path]:
    """The author's modules; a file that is missing too, for it may come."""
    for field, text in (("factory", model.factory), ("preprocess", model.preprocess)):
        if text is None:
            continue
        try:
            file = parse(text, folder, field).file
        except FervisError:
            yield folder / text.rpartition(":")[0]
            continue
        if file is not None:
            yield from modules_of(file, roots(folder.resolve(), file))


def _everywhere(files: set[Path], folders: set[Path], code: set[Path]) -> Sources:
    """By the names in the report, and where links lead: an editor may write to either."""

    def both(paths: set[Path]) -> frozenset[Path]:
        absolute = {Path(os.path.normpath(path.absolute())) for path in paths}
        return frozenset(absolute | {Path(os.path.realpath(path)) for path in absolute})

    return Sources(both(files), both(folders), both(code))
