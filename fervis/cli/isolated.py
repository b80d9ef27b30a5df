"""What `fervis build --isolated` does and says."""

from __future__ import annotations

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
    if not answer.confined:
        click.secho(
            "warning: this system cannot keep the network from writing elsewhere "
            "(Linux 5.13 or newer with Landlock can)",
            fg="yellow",
            err=True,
        )
    if answer.outcome is None:
        click.echo(answer.reason, err=True)
        return answer.exit_code
    return tell(answer.outcome, quiet=quiet, verbose=verbose)
