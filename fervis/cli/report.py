"""Commands about the report: build, check, why, clean, schema, methods."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from fervis.cache import cache_folder, edited
from fervis.cli import stopping
from fervis.cli.options import cache_option, file_argument, out_option, set_option
from fervis.cli.outcome import shown, tell
from fervis.cli.progress import Progress
from fervis.errors import EXIT_DONE
from fervis.forked import FORKS
from fervis.render.press import Presses


@click.command()
@file_argument
@out_option
@cache_option
@set_option
@click.option(
    "--keep-going", is_flag=True, help="Publish even when an analysis failed; its block says why."
)
@click.option(
    "--isolated",
    is_flag=True,
    help="In a process of its own that sees no secrets and writes nothing but its results: for a "
    "stranger's network.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="With --isolated; default an hour.",
)
@click.option(
    "--memory",
    type=click.IntRange(64),
    metavar="MB",
    help="With --isolated; default nine tenths of the machine's, at least 4 GB.",
)
@click.option("--no-pdf", is_flag=True, help="Leave the PDFs out, which is faster.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32"]),
    default="auto",
    show_default=True,
    help="float32: no bfloat16, not even for sampling and search.",
)
@click.option("--profile", is_flag=True, help="Say where the time went.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was computed, and when.")
def build(
    file: Path,
    out: Path | None,
    cache: Path | None,
    overrides: tuple[str, ...],
    keep_going: bool,
    isolated: bool,
    timeout: float | None,
    memory: int | None,
    no_pdf: bool,
    precision: Literal["auto", "float32"],
    profile: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Build the report: a site and one PDF per language.

    Only what changed is computed. Where an analysis fails, the published site stays as it was and
    the exit code is 1.

    \b
    Examples:
      fervis build                            report.yaml → site/
      fervis build mine/report.yaml --out /srv/www/mine
      fervis build --set images.4=812 --set seed=1
      fervis build --keep-going -v
      fervis build --profile -q
      fervis build --isolated --timeout 600 --memory 8000
    """
    if isolated:
        from fervis.apart import HOUR_S, Limits, Order, share_of_memory
        from fervis.cli.isolated import build_apart

        site = out or file.absolute().parent / "site"
        order = Order(file, site, cache, overrides, keep_going, precision, not no_pdf)
        limits = Limits(memory << 20 if memory else share_of_memory(1), None, timeout or HOUR_S)
        return build_apart(order, limits, quiet=quiet, verbose=verbose)
    if timeout or memory:
        raise click.UsageError("--timeout and --memory need --isolated")
    with (
        stopping.promptly(),
        Progress(-1 if quiet else int(verbose)) as progress,
        _started_early(file, cache, pdf=not no_pdf) as presses,
    ):
        from fervis import pipeline
        from fervis.cli.profile import Profile

        times = Profile(progress)
        outcome = pipeline.build(
            file,
            out=out,
            cache=cache,
            overrides=overrides,
            keep_going=keep_going,
            precision=precision,
            pdf=not no_pdf,
            advance=times,
            presses=presses,
        )
    if profile:
        for line in times.lines():
            click.echo(line, err=True)
        if times.pictures_per_second and outcome.operations:
            from fervis.cli.profile import peak

            share = times.pictures_per_second * outcome.operations / peak()
            click.echo(
                f"Predicting reached {share:.0%} of this machine's float32 matrix product "
                f"({outcome.operations / 1e9:.2f} billion operations a picture).",
                err=True,
            )
    return tell(outcome, quiet=quiet, verbose=verbose)


@contextlib.contextmanager
def _started_early(file: Path, cache: Path | None, *, pdf: bool) -> Iterator[Presses | None]:
    """Presses for PDFs, loading while this process loads, where there will be something to set."""
    if not (pdf and FORKS and edited(file, cache)):
        yield None
        return
    with Presses(1) as presses:
        yield presses


@click.command()
@file_argument
@cache_option
@set_option
def check(file: Path, cache: Path | None, overrides: tuple[str, ...]) -> int:
    """Check the report, its data and its layer names; compute nothing.

    All complaints come at once, each with line and column.

    \b
    Examples:
      fervis check
      fervis check mine/report.yaml --set model.weights=last.pt
    """
    from fervis import survey

    report = survey.validate(file, cache=cache, overrides=overrides)
    parts = sum(len(question.answer) for question in report.questions)
    click.echo(
        f"{file.name} is right: {len(report.questions)} questions, {parts} parts, "
        f"{len(report.pictures)} pictures"
    )
    return EXIT_DONE


@click.command()
@file_argument
@out_option
@cache_option
@set_option
def why(file: Path, out: Path | None, cache: Path | None, overrides: tuple[str, ...]) -> int:
    """Say what a build would compute, and which change is the reason.

    \b
    Examples:
      fervis why
      fervis why --set seed=1 | grep "to compute"
    """
    from fervis import survey

    for title, reason in survey.reasons(file, out=out, cache=cache, overrides=overrides):
        click.echo(f"{title}: {reason}")
    return EXIT_DONE


@click.command()
@file_argument
@cache_option
@click.option(
    "--limit",
    metavar="MB",
    type=click.FloatRange(min=0),
    help="Keep the most recently used results up to this size instead of none.",
)
def clean(file: Path, cache: Path | None, limit: float | None) -> int:
    """Remove stored results (never the published site).

    \b
    Examples:
      fervis clean                            everything
      fervis clean --limit 500                all but the last used 500 MB
    """
    from fervis.engine.store import Store

    folder = cache_folder(file.absolute(), cache)
    store = Store(folder / "results")
    before = store.size()
    if limit is not None:
        store.prune(int(limit * 1e6))
        click.echo(
            f"{(before - store.size()) / 1e6:.1f} MB removed, "
            f"{store.size() / 1e6:.1f} MB kept in {shown(folder)}"
        )
    else:
        for name in ("results", "data", "render", "builds", "failed", "apart"):
            shutil.rmtree(folder / name, ignore_errors=True)
        click.echo(f"{shown(folder)} emptied")
    return EXIT_DONE


@click.command()
def schema() -> int:
    """Print the JSON Schema of report.yaml, for editors.

    \b
    Example:
      fervis schema > report.schema.json
    and as the first line of report.yaml:
      # yaml-language-server: $schema=report.schema.json
    """
    from fervis import data, spec
    from fervis.analyses import REGISTRY
    from fervis.model.options import ModelOptions

    click.echo(
        json.dumps(spec.schema(REGISTRY, data.KINDS, ModelOptions), indent=2, ensure_ascii=False)
    )
    return EXIT_DONE


def _analyses(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What the shell offers after `fervis methods`."""
    from fervis.analyses import REGISTRY

    del ctx, parameter
    return [name for name in REGISTRY if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=_analyses)
def methods(name: str | None) -> int:
    """List the analyses, or the options of one.

    \b
    Examples:
      fervis methods
      fervis methods gradcam
    """
    from fervis import spec
    from fervis.analyses import REGISTRY

    if name is None:
        for each, analysis in REGISTRY.items():
            click.echo(f"{each:14} {analysis.ANSWERS.msgid}")
        return EXIT_DONE
    if name not in REGISTRY:
        raise click.UsageError(f"there is no analysis {name!r}; there are {', '.join(REGISTRY)}")
    click.echo(f"{name}: {REGISTRY[name].ANSWERS.msgid}\n")
    for option, kind, default, description in spec.describe(REGISTRY[name].Options):
        click.echo(f"  {option} ({kind}; default {default}): {description}")
    return EXIT_DONE
