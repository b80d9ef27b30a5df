"""What `fervis build --isolated` does and says."""

from __future__ import annotations

from collections.abc import Collection

import click

from fervis import apart
from fervis.cli import stopping
from fervis.cli.outcome import tell
from fervis.cli.progress import Progress


def build_apart(
    order: apart.Order, limits: apart.Limits, *, quiet: bool = False, verbose: bool = False
) -> int:
    """Builds, says what came of it and whether the system kept it in; returns the exit code."""
    with stopping.promptly(), Progress(-1 if quiet else int(verbose)) as progress:
        answer = apart.build(order, limits, progress)
    warn_of(answer.allowed)
    if answer.outcome is None:
        click.echo(answer.reason, err=True)
        return answer.exit_code
    return tell(answer.outcome, quiet=quiet, verbose=verbose)


def warn_of(allowed: Collection[str]) -> None:
    """Says what this system does not keep a stranger's network from."""
    if allowed:
        click.secho(
            f"warning: this system cannot prevent {' and '.join(sorted(allowed))} of the network "
            "(Linux with Landlock can: writing from 5.13 on, connections from 6.7 on)",
            fg="yellow",
            err=True,
        )
