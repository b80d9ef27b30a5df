"""The command that starts a project: init."""

from __future__ import annotations

from pathlib import Path

import click

from fervis.errors import EXIT_DONE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="A FER2013 CSV, a folder of class folders, or an .npz; default rendered faces.",
)
@click.option("--split", help="Which split of the data; default the one for testing.")
@click.option("--model", "factory", help="file.py:Name inside FOLDER, or package.module:Name.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A state dict: .pt, .pth or .safetensors.",
)
@click.option(
    "--size",
    type=click.IntRange(8, 1024),
    help="Height and width that the network wants; default the first common one that it takes.",
)
@click.option("--channels", type=click.Choice(["1", "3"]), help="Gray or colour; default likewise.")
@click.option("--templates", is_flag=True, help="Copy the pages' templates, to change them.")
@click.option(
    "--workflow/--no-workflow",
    default=None,
    help="Write a GitHub Pages workflow; default only where the data may be published.",
)
def init(
    folder: Path,
    data: Path | None,
    split: str | None,
    factory: str | None,
    weights: Path | None,
    size: int | None,
    channels: str | None,
    templates: bool,
    workflow: bool | None,
) -> int:
    """Start a project: write a report.yaml that fits your data and network.

    It looks at both, and writes the classes, layers and typical pictures that it finds, with
    report.schema.json for your editor, a Makefile, a .gitignore and a GitHub Pages workflow. What
    is there already is left alone.

    \b
    Examples:
      fervis init mine                    the default report, on rendered faces
      fervis init mine --data fer2013.csv --split PublicTest \\
          --model hw3.py:Net --weights mine/best.pt
      fervis init mine --data pictures/ --model mypackage.nets:Net --size 224
    """
    from fervis import project
    from fervis.project.found import Wish

    wish = Wish(data, split, factory, weights, size, int(channels) if channels else None)
    started = project.start(folder, wish, templates=templates, workflow=workflow)
    for sentence in started.found:
        click.echo(sentence)
    for path in started.written:
        click.echo(f"wrote {path}")
    for warning in started.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    where = "" if folder == Path() else f" {folder / 'report.yaml'}"
    click.echo(f"Next: edit {folder / 'report.yaml'}, then `fervis build{where}`.")
    return EXIT_DONE
