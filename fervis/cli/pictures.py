"""Commands about pictures: pick, faces."""

from __future__ import annotations

from pathlib import Path

import click

from fervis.cli.options import cache_option, file_argument, set_option
from fervis.cli.progress import Progress
from fervis.errors import EXIT_DONE


@click.command()
@file_argument
@cache_option
@set_option
@click.option("--split", help="Which split; default the report's.")
@click.option("--out", type=click.Path(path_type=Path), default="pick.html", show_default=True)
def pick(
    file: Path, cache: Path | None, overrides: tuple[str, ...], split: str | None, out: Path
) -> int:
    """Write a page with every picture of a split, to choose indices by looking.

    \b
    Examples:
      fervis pick                             pick.html
      fervis pick --split train --out train.html
    """
    from fervis import survey

    with Progress() as progress:
        count = survey.pick(
            file, out, split=split, cache=cache, overrides=overrides, advance=progress
        )
    click.echo(f"{out}: {count} pictures with index, class, prediction and confidence")
    return EXIT_DONE


@click.command()
@click.option("--identities", type=click.IntRange(1), default=60, show_default=True)
@click.option(
    "--views",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Views of each expression.",
)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option(
    "--size",
    type=click.IntRange(16, 1024),
    default=96,
    show_default=True,
    help="Height and width in pixels.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def faces(identities: int, views: int, seed: int, size: int, out: Path) -> int:
    """Render faces with seven expressions and their ground truth.

    \b
    Example:
      fervis faces --identities 100 --size 48 --out more-faces
    """
    from fervis.data.faces.generate import write_faces

    with Progress() as progress:
        write_faces(
            identities=identities,
            seed=seed,
            size=size,
            out=out,
            views=views,
            progress=lambda done, total: progress("faces", done, total),
        )
    click.echo(f"{out}: {identities * views * 7} pictures, truth.npz")
    return EXIT_DONE
