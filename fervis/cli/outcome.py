"""What a build did, in words for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fervis.errors import EXIT_ANALYSIS_FAILED, EXIT_DONE

if TYPE_CHECKING:
    from fervis.pipeline import Outcome


def tell(outcome: Outcome, *, quiet: bool = False, verbose: bool = False) -> int:
    """Prints what was built, chosen and wrong, and returns the exit code."""
    for name, index in outcome.chosen.items():
        click.echo(f"auto chose picture {index} for class {name}")
    for warning in outcome.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    for failure in outcome.failures:
        click.secho(f"failed: {failure}", fg="red", err=True)
    if outcome.unchanged:
        if not quiet:
            click.echo(f"Nothing changed; {shown(outcome.site)} is up to date.")
        return EXIT_DONE
    if verbose:
        for title in outcome.computed:
            click.echo(f"computed {title}")
    if not quiet:
        click.echo(f"{len(outcome.computed)} computed, {outcome.stored} reused")
    if outcome.published:
        if not quiet:
            for path in (outcome.site / "index.html", outcome.site / "report.pdf"):
                if path.exists():  # a build may leave the PDF out
                    click.echo(shown(path))
    else:
        click.echo(
            f"Not published, because of the failures above; the site stays as it was. "
            f"See {shown(outcome.site / 'index.html')}, or publish it with --keep-going.",
            err=True,
        )
    return EXIT_ANALYSIS_FAILED if outcome.failures else EXIT_DONE


def shown(path: Path) -> str:
    """A path as short as can be from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
