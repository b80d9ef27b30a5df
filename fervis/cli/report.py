"""Commands about the report: build, check, why, clean, schema, methods."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from fervis.cli.progress import Progress
from fervis.errors import EXIT_ANALYSIS_FAILED, EXIT_DONE

file_argument = click.argument("file", type=click.Path(path_type=Path), default="report.yaml")
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Folder of results; default $FERVIS_CACHE or .fervis by the file.",
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value of the file for this run: --set images.4=812",
)


@click.command()
@file_argument
@click.option("--out", type=click.Path(path_type=Path), help="The site's folder; default site/.")
@cache_option
@set_option
@click.option(
    "--keep-going", is_flag=True, help="Publish even when an analysis failed; its block says why."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was computed, and when.")
def build(
    file: Path,
    out: Path | None,
    cache: Path | None,
    overrides: tuple[str, ...],
    keep_going: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Build the report: a site and one PDF per language."""
    from fervis import pipeline

    with Progress(-1 if quiet else int(verbose)) as progress:
        outcome = pipeline.build(
            file, out=out, cache=cache, overrides=overrides, keep_going=keep_going, advance=progress
        )
    for name, index in outcome.chosen.items():
        click.echo(f"auto chose picture {index} for class {name}")
    for warning in outcome.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    for failure in outcome.failures:
        click.secho(f"failed: {failure}", fg="red", err=True)
    if outcome.unchanged:
        if not quiet:
            click.echo(f"Nothing changed; {_shown(outcome.site)} is up to date.")
        return EXIT_DONE
    if verbose:
        for title in outcome.computed:
            click.echo(f"computed {title}")
    if not quiet:
        click.echo(f"{len(outcome.computed)} computed, {outcome.stored} reused")
    if outcome.published:
        if not quiet:
            click.echo(
                f"{_shown(outcome.site / 'index.html')}\n{_shown(outcome.site / 'report.pdf')}"
            )
    else:
        click.echo(
            f"Not published, because of the failures above; the site stays as it was. "
            f"See {_shown(outcome.site / 'index.html')}, or publish it with --keep-going.",
            err=True,
        )
    return EXIT_ANALYSIS_FAILED if outcome.failures else EXIT_DONE


@click.command()
@file_argument
@cache_option
@set_option
def check(file: Path, cache: Path | None, overrides: tuple[str, ...]) -> int:
    """Check the report, its data and its layer names; compute nothing."""
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
@click.option("--out", type=click.Path(path_type=Path), help="The site's folder; default site/.")
@cache_option
@set_option
def why(file: Path, out: Path | None, cache: Path | None, overrides: tuple[str, ...]) -> int:
    """Say what a build would compute, and which change is the reason."""
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
    type=float,
    help="Keep the most recently used results up to this size instead of none.",
)
def clean(file: Path, cache: Path | None, limit: float | None) -> int:
    """Remove stored results (never the published site)."""
    from fervis import pipeline
    from fervis.engine.store import Store

    folder = pipeline.cache_folder(file.absolute(), cache)
    store = Store(folder / "results")
    before = store.size()
    if limit is not None:
        store.prune(int(limit * 1e6))
        click.echo(
            f"{(before - store.size()) / 1e6:.1f} MB removed, "
            f"{store.size() / 1e6:.1f} MB kept in {_shown(folder)}"
        )
    else:
        for name in ("results", "data", "render", "builds", "failed"):
            shutil.rmtree(folder / name, ignore_errors=True)
        click.echo(f"{_shown(folder)} emptied")
    return EXIT_DONE


@click.command()
def schema() -> int:
    """Print the JSON Schema of report.yaml, for editors."""
    from fervis import data, spec
    from fervis.analyses import REGISTRY
    from fervis.model.options import ModelOptions

    click.echo(
        json.dumps(spec.schema(REGISTRY, data.KINDS, ModelOptions), indent=2, ensure_ascii=False)
    )
    return EXIT_DONE


@click.command()
@click.argument("name", required=False)
def methods(name: str | None) -> int:
    """List the analyses, or the options of one."""
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


def _shown(path: Path) -> str:
    """A path as short as can be from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
