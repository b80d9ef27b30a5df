"""The command that builds many reports: batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fervis.cli import stopping
from fervis.cli.isolated import warn_of
from fervis.cli.options import cache_option, set_option
from fervis.cli.outcome import shown
from fervis.errors import EXIT_ANALYSIS_FAILED, EXIT_DONE

if TYPE_CHECKING:
    from fervis.batch import Done

MEGABYTE = 1 << 20
HOUR = 3600.0


@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--each",
    "pattern",
    metavar="PATTERN",
    help="One report, and a folder with network and weights for each: 'students/*'",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of summary, log and, with --each, sites; default batch/ by the first report.",
)
@cache_option
@set_option
@click.option("--jobs", type=click.IntRange(1), help="Builds at once; default half the cores.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=HOUR,
    show_default=True,
    metavar="SECONDS",
    help="For each report.",
)
@click.option(
    "--memory",
    type=click.IntRange(64),
    metavar="MB",
    help="For each report; default its share of the machine's, at least 4 GB.",
)
@click.option("--keep-going", is_flag=True, help="Publish even where an analysis failed.")
@click.option("--no-pdf", is_flag=True, help="Leave the PDFs out, which is faster.")
def batch(
    reports: tuple[Path, ...],
    pattern: str | None,
    out: Path | None,
    cache: Path | None,
    overrides: tuple[str, ...],
    jobs: int | None,
    timeout: float,
    memory: int | None,
    keep_going: bool,
    no_pdf: bool,
) -> int:
    """Build many reports side by side; one that fails never stops the others.

    Every report is built in a process of its own, as with build --isolated. What came of them is in
    batch/index.html and batch/log.jsonl. Run it again to continue: what is built stays.

    \b
    Examples:
      fervis batch report.yaml --each 'students/*' --jobs 4
      fervis batch a/report.yaml b/report.yaml --timeout 600
    """
    from fervis import batch as rooms
    from fervis.apart import Limits, share_of_memory
    from fervis.cache import cache_folder

    if pattern is not None and len(reports) > 1:
        raise click.UsageError("--each takes one report; name either several or a pattern")
    out = out or reports[0].absolute().parent / "batch"
    if pattern is not None:
        todo = rooms.each(reports[0], pattern, out, cache_folder(reports[0].absolute(), cache))
    else:
        todo = rooms.files(dict.fromkeys(reports))

    def told(done: Done, left: int) -> None:
        text = f"{done.state} {done.name} ({done.seconds:.1f} s; {left} left)"
        if done.reason:
            text += f": {done.reason.splitlines()[0]}"
        click.secho(text, fg="red" if done.state == "failed" else None)

    at_once = jobs or max(1, (os.cpu_count() or 2) // 2)
    bytes_each = memory * MEGABYTE if memory else share_of_memory(at_once)
    with stopping.promptly():
        results = rooms.run(
            todo,
            out,
            at_once=at_once,
            limits=Limits(bytes_each, None, timeout),
            cache=cache and cache.absolute(),
            more={"overrides": overrides, "keep_going": keep_going, "pdf": not no_pdf},
            told=told,
        )
    warn_of({what for done in results for what in done.allowed})
    failed = sum(done.state == "failed" for done in results)
    click.echo(f"{len(results) - failed} built, {failed} failed; {shown(out / 'index.html')}")
    return EXIT_ANALYSIS_FAILED if failed else EXIT_DONE
