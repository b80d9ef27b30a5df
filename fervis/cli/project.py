"""The command that starts a project: init."""

from __future__ import annotations

from pathlib import Path

import click

from fervis.errors import EXIT_DONE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="A FER2013 CSV, a folder of class folders, or an .npz; default rendered faces.",
)
@click.option("--split", help="Which split of the data.")
@click.option("--model", "factory", help="file.py:Name inside FOLDER, or package.module:Name.")
@click.option("--weights", type=click.Path(path_type=Path, exists=True))
def init(
    folder: Path, data: Path | None, split: str | None, factory: str | None, weights: Path | None
) -> int:
    """Start a project: write a report.yaml that fits your data and network.

    \b
    Examples:
      fervis init mine
      fervis init mine --data fer2013.csv --split PublicTest --model hw3.py:Net --weights best.pt
    """
    from fervis import project

    for path in project.start(folder, data=data, split=split, factory=factory, weights=weights):
        click.echo(f"wrote {path}")
    click.echo(f"Next: edit {folder / 'report.yaml'}, then `make report` there.")
    return EXIT_DONE
