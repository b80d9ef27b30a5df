"""Builds jobs side by side; writes a line of the log and the summary page as each one ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fervis import apart
from fervis.apart import Limits, Order
from fervis.batch.jobs import Job
from fervis.data.faults import printable
from fervis.errors import EXIT_FILE_WRONG, EXIT_MACHINE, DiskError, FervisError
from fervis.render import template_folders
from fervis.render.language import words_in
from fervis.render.templates import Templates

LOG, PAGE = "log.jsonl", "index.html"
_NEEDED = "a batch keeps its log and summary there"
State = Literal["built", "unchanged", "failed"]


@dataclass(frozen=True)
class Done:
    """What came of one job."""

    name: str
    state: State
    reason: str
    exit_code: int
    seconds: float
    site: Path | None
    allowed: tuple[str, ...] = ()

    def line(self, folder: Path) -> dict[str, Any]:
        """A line of the log; the site as seen from ``folder``."""
        return {
            "report": self.name,
            "state": self.state,
            "reason": self.reason,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 2),
            "site": self.site and printable(Path(os.path.relpath(self.site, folder)).as_posix()),
        }


def run(
    jobs: Sequence[Job],
    out: Path,
    *,
    at_once: int,
    limits: Limits,
    cache: Path | None = None,
    more: Mapping[str, Any] | None = None,
    language: str = "en",
    told: Callable[[Done, int], None] = lambda *_: None,
) -> list[Done]:
    """Builds all jobs, ``at_once`` of them side by side, and returns what came of each, in order.

    Raises DiskError where ``out`` cannot be written; what has begun by then is built to the end.

    ``more`` goes into every Order. What was built before and has not changed is left as it is.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / LOG).write_bytes(b"")
    except OSError as error:
        raise DiskError.of(error, out, _NEEDED) from error
    done: dict[str, Done] = {}
    variables = dict(os.environ)
    threads = str(max(1, (os.cpu_count() or 1) // at_once))
    variables.setdefault("OMP_NUM_THREADS", threads)
    unwritten: OSError | None = None
    with ThreadPoolExecutor(at_once, thread_name_prefix="report") as pool:
        futures = [
            pool.submit(_done, job, limits, cache, dict(more or {}), variables) for job in jobs
        ]
        try:
            for future in as_completed(futures):
                answer = future.result()
                done[answer.name] = answer
                try:
                    _write_line(answer, out)
                    _write_page(jobs, done, out, language)
                except OSError as error:  # the other reports are built all the same
                    unwritten = error
                told(answer, len(jobs) - len(done))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            apart.end_all()
            raise
    if unwritten is not None:
        raise DiskError.of(unwritten, out, _NEEDED) from unwritten
    return [done[job.name] for job in jobs]


def _done(
    job: Job,
    limits: Limits,
    cache: Path | None,
    more: Mapping[str, Any],
    variables: Mapping[str, str],
) -> Done:
    if job.problem:
        return Done(job.name, "failed", job.problem, EXIT_FILE_WRONG, 0.0, None)
    overrides = (*job.overrides, *more.get("overrides", ()))
    order = Order(job.file, job.site, cache, **{**more, "overrides": overrides})
    try:
        answer = apart.build(order, limits, variables=variables)
    except FervisError as error:
        return Done(job.name, "failed", str(error), EXIT_MACHINE, 0.0, None)
    except Exception as error:  # whatever it is, the other reports are built
        reason = printable(f"{type(error).__name__}: {error}")
        return Done(job.name, "failed", reason, EXIT_MACHINE, 0.0, None)
    outcome = answer.outcome
    state: State = "failed" if answer.reason else "built"
    if outcome is not None and outcome.unchanged:
        state = "unchanged"
    seen = outcome.site if outcome is not None else None
    return Done(
        job.name, state, answer.reason, answer.exit_code, answer.seconds, seen, answer.allowed
    )


def _write_line(answer: Done, out: Path) -> None:
    with (out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(answer.line(out), ensure_ascii=False) + "\n")


def _write_page(jobs: Sequence[Job], done: Mapping[str, Done], out: Path, language: str) -> None:
    """The summary, written beside and renamed, so that it can be looked at all the while."""
    templates = template_folders()
    words = words_in(language, templates)
    rows = [(job.name, done[job.name].line(out) if job.name in done else None) for job in jobs]
    values = {"rows": rows, "language": language, "_": words.catalogue.gettext}
    page = Templates(templates).render("batch.html", values)
    beside = out / f".{PAGE}.part"
    beside.write_text(page, encoding="utf-8")
    beside.replace(out / PAGE)
