"""Which reports a batch builds: several files, or one file with a network per folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fervis.engine.ground import model_options
from fervis.errors import MachineError
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
    return [Job(str(file), file.absolute(), file.absolute().parent / "site") for file in reports]


def each(report: Path, pattern: str, out: Path, cache: Path) -> list[Job]:
    """A job for every folder that ``pattern`` finds beside ``report``; sites go below ``out``.

    A folder stands in for the report's network: its file of the same name (or its only Python
    file) is the factory's, its weights of the same name (or its only ones) are the weights.
    Raises ReportError if the report itself is wrong, MachineError if there is no such folder.
    """
    report = report.absolute()
    folders = sorted(path for path in report.parent.glob(pattern) if path.is_dir())
    out = out.absolute()
    folders = [folder for folder in folders if folder != out and not folder.name.startswith(".")]
    if not folders:
        raise MachineError(f"{report.parent / pattern}: there is no such folder")
    options = model_options(load(report, cache))
    jobs = []
    for folder in folders:
        name = folder.relative_to(report.parent).as_posix()
        site = out / (folder.name if [f.name for f in folders].count(folder.name) == 1 else name)
        values = {}
        problem = ""
        if options.factory and ".py:" in options.factory:
            place, _, target = options.factory.rpartition(":")
            code = _stand_in(folder, Path(place), (".py",))
            values["model.factory"] = f"{_inside(code, report)}:{target}" if code else ""
            problem = "" if code else f"no {Path(place).name} in {name}, nor a single Python file"
        if options.weights or not options.factory:
            weights = _stand_in(folder, options.weights or Path("best.pt"), WEIGHTS)
            values["model.weights"] = _inside(weights, report) if weights else ""
            if not weights:
                problem = problem or f"no weights in {name} ({', '.join(WEIGHTS)}), or several"
        overrides = tuple(
            f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in values.items()
        )
        jobs.append(Job(name, report, site, overrides, problem))
    return jobs


def _stand_in(folder: Path, named: Path, suffixes: Sequence[str]) -> Path | None:
    """The file in ``folder`` for the one that the report names."""
    for candidate in (folder / named.name, *([] if named.is_absolute() else [folder / named])):
        if candidate.is_file():
            return candidate
    found = [path for path in sorted(folder.iterdir()) if path.suffix in suffixes]
    return found[0] if len(found) == 1 else None


def _inside(path: Path, report: Path) -> str:
    return path.relative_to(report.parent).as_posix()
