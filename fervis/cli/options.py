"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

file_argument = click.argument("file", type=click.Path(path_type=Path), default="report.yaml")
out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="The site's folder; default site/ by the file."
)
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
