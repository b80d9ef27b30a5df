"""Which reports a batch builds: several files, or one file with a network per folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fervis.data.faults import printable
from fervis.engine.ground import model_options
from fervis.errors import FervisError, MachineError
from fervis.model.options import ModelOptions
from fervis.pipeline import load

WEIGHTS = (".pt", ".pth", ".safetensors")


@dataclass(frozen=True)
class Job:
    """One report to build; ``problem`` says why it cannot even be tried."""

    name: str
    file: Path
    site: Path
    overrides: tuple[str, ...] = ()
    problem: str = ""


def files(reports: Iterable[Path]) -> list[Job]:
    """A job for every report file, each with its site beside it."""
    return [
        Job(printable(str(file)), file.absolute(), file.absolute().parent / "site")
        for file in reports
    ]


def each(report: Path, pattern: str, out: Path, cache: Path) -> list[Job]:
    """A job for every folder that ``pattern`` finds beside ``report``; sites go below ``out``.

    A folder stands in for the report's network: its file of the same name (or its only Python
    file) is the factory's, its weights of the same name (or its only ones) are the weights.
    Raises ReportError if the report itself is wrong, MachineError if there is no such folder.
    """
    report, out = report.absolute(), out.absolute()
    folders = _folders(report.parent, pattern, out)
    if not folders:
        raise MachineError(f"{report.parent / pattern}: there is no such folder")
    options = model_options(load(report, cache))
    jobs = []
    for folder in folders:
        name = printable(folder.relative_to(report.parent).as_posix())
        site = out / (folder.name if [f.name for f in folders].count(folder.name) == 1 else name)
        try:
            values, problem = _values(folder, report, options), ""
        except (FervisError, OSError) as error:
            values, problem = {}, printable(str(error))
        overrides = tuple(
            f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in values.items()
        )
        jobs.append(Job(name, report, site, overrides, problem))
    return jobs


def _folders(base: Path, pattern: str, out: Path) -> list[Path]:
    """Folders below ``base`` that ``pattern`` finds, but for hidden ones and ``out``."""
    try:
        found = sorted(path for path in base.glob(pattern) if path.is_dir())
    except (NotImplementedError, ValueError, OSError) as error:
        raise MachineError(f"{pattern}: {error}; name folders below {base}") from error
    if any(".." in folder.relative_to(base).parts for folder in found):
        raise MachineError(f"{pattern}: leads out; name folders below {base}")
    return [folder for folder in found if folder != out and not folder.name.startswith(".")]


def _values(folder: Path, report: Path, options: ModelOptions) -> dict[str, str]:
    """The options that ``folder`` stands in for. Raises MachineError where it lacks a file."""
    name, values = folder.relative_to(report.parent).as_posix(), {}
    try:
        name.encode()
    except UnicodeEncodeError as error:  # unpacked from a ZIP file in Big5, perhaps
        raise MachineError(
            f"{printable(name)}: its name is not UTF-8; rename the folder"
        ) from error
    if options.factory and ".py:" in options.factory:
        place, _, target = options.factory.rpartition(":")
        code = _stand_in(folder, Path(place), (".py",))
        if not code:
            raise MachineError(f"no {Path(place).name} in {name}, nor a single Python file")
        values["model.factory"] = f"{_inside(code, report)}:{target}"
    if options.weights or not options.factory:
        weights = _stand_in(folder, options.weights or Path("best.pt"), WEIGHTS)
        if not weights:
            raise MachineError(f"no weights in {name} ({', '.join(WEIGHTS)}), or several")
        values["model.weights"] = _inside(weights, report)
    return values


def _stand_in(folder: Path, named: Path, suffixes: Sequence[str]) -> Path | None:
    """The file in ``folder`` for the one that the report names."""
    for candidate in (folder / named.name, *([] if named.is_absolute() else [folder / named])):
        if candidate.is_file():
            return candidate
    found = [path for path in sorted(folder.iterdir()) if path.suffix in suffixes]
    return found[0] if len(found) == 1 else None


def _inside(path: Path, report: Path) -> str:
    return path.relative_to(report.parent).as_posix()
