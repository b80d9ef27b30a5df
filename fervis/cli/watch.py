"""The command that builds at every change: watch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fervis.cli.options import cache_option, file_argument, out_option, set_option
from fervis.cli.outcome import shown, tell
from fervis.cli.progress import Progress
from fervis.errors import EXIT_DONE

if TYPE_CHECKING:
    from fervis.watch import Answer


@click.command()
@file_argument
@out_option
@cache_option
@set_option
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Of 127.0.0.1; default 8000 or the next free one.",
)
@click.option("--open", "in_browser", is_flag=True, help="Open the browser there.")
@click.option(
    "--keep-going", is_flag=True, help="Publish even when an analysis failed; its block says why."
)
def watch(
    file: Path,
    out: Path | None,
    cache: Path | None,
    overrides: tuple[str, ...],
    port: int | None,
    in_browser: bool,
    keep_going: bool,
) -> int:
    """Build at every change and show the site in the browser, which keeps up. Ctrl-C ends it.

    Watched are report.yaml, templates/, the data, the weights and your network's code. What is
    wrong is shown in the page and here, with its place. Only this machine can open the page.

    \b
    Examples:
      fervis watch --open                 the report here, in the browser
      fervis watch mine/report.yaml --port 9000
    """
    from fervis.watch import Told
    from fervis.watch import watch as run
    from fervis.watch.worker import Order

    file = file.absolute()
    if not file.parent.is_dir():
        raise click.UsageError(f"there is no folder {file.parent}")
    site = (out or file.parent / "site").absolute()

    def address(where: str) -> None:
        click.echo(f"{where} shows {shown(site)} as it is built; Ctrl-C ends it")
        if in_browser:
            click.launch(where)

    def change(paths: frozenset[Path]) -> None:
        names = sorted(shown(path) for path in paths)
        click.echo(f"changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")

    def answer(given: Answer) -> None:
        progress.end()
        if given.outcome is not None:
            tell(given.outcome)
        else:
            for place, words in given.problems:
                click.secho(f"{place}: {words}" if place else words, fg="red", err=True)
        click.echo(f"{given.seconds:.1f} s")

    with Progress() as progress:
        told = Told(address, change, progress, answer)
        run(Order(file, site, cache, overrides, keep_going), told, port=port)
    click.echo("ended; the site stays")
    return EXIT_DONE
