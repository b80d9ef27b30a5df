"""Commands about the network: layers, train, evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fervis.cli.options import cache_option, file_argument, set_option
from fervis.errors import EXIT_DONE

if TYPE_CHECKING:
    from fervis.model.train import EpochResult


@click.command()
@file_argument
@cache_option
@set_option
def layers(file: Path, cache: Path | None, overrides: tuple[str, ...]) -> int:
    """List the layers of the report's network: the names to write into report.yaml.

    \b
    Examples:
      fervis layers
      fervis layers mine/report.yaml | grep conv
    """
    from fervis import survey

    facts = survey.open_report(file, cache=cache, overrides=overrides).network.facts()
    rows = [("name", "path", "type", "output", "parameters")]
    for layer in facts.layers:
        shape = "×".join(map(str, layer["shape"]))
        rows.append(
            (layer["name"], layer["path"], layer["kind"], shape, f"{layer['parameters']:,}")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:4], widths, strict=False)]
        click.echo("  ".join([*cells, row[4].rjust(widths[4])]))
    click.echo(f"{facts.parameters:,} parameters; {facts.explains}")
    for warning in facts.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    return EXIT_DONE


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="A FER2013 CSV, a folder of class folders, or an .npz file.",
)
@click.option("--split", help="What to learn from; default Training or train.")
@click.option("--test", help="The split of which no picture may be learned; default PublicTest.")
@click.option(
    "--faces",
    type=int,
    default=0,
    metavar="N",
    help="Mix in rendered faces of N identities where the recipe says `extra`.",
)
@click.option("--factory", help="The network: path/to/file.py:Name; default fervis' own.")
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path, exists=True),
    help="A recipe.yaml; default the one of the shipped network.",
)
@click.option("--epochs", type=int, help="Epochs at full size, instead of the recipe's stages.")
@click.option("--seed", type=int, help="Instead of the recipe's seed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="runs/network",
    show_default=True,
    help="Folder for weights, log, curves and recipe; a stopped run continues there.",
)
def train(
    data: Path,
    split: str | None,
    test: str | None,
    faces: int,
    factory: str | None,
    recipe_file: Path | None,
    epochs: int | None,
    seed: int | None,
    out: Path,
) -> int:
    """Train a network, resumably; report.yaml can then name its weights.

    \b
    Example:
      fervis train --data fer2013.csv --faces 130 --out runs/mine
    """
    from fervis.engine import training

    best = 0.0

    def on_batch(epoch: int, done: int, total: int, loss: float) -> None:
        if done % 50 == 0 or done == total:
            click.echo(f"epoch {epoch + 1}: {done}/{total}, loss {loss:.3f}", err=True)

    def on_epoch(row: EpochResult) -> None:
        nonlocal best
        best = max(best, row.valid_accuracy)
        left = (job.recipe.epochs - row.epoch - 1) * row.seconds / 60
        click.echo(
            f"epoch {row.epoch + 1} of {job.recipe.epochs}: held-out accuracy "
            f"{row.valid_accuracy:.1%}, loss {row.valid_loss:.3f}, {row.seconds:.0f} s; "
            f"about {left:.0f} min left at this size"
        )

    job = training.prepare(
        data,
        split=split,
        test=test,
        faces=faces,
        factory=factory,
        recipe_file=recipe_file,
        epochs=epochs,
        seed=seed,
        out=out,
    )
    weights = training.run_job(job, on_batch=on_batch, on_epoch=on_epoch)
    click.echo(f"{weights}\n{out / 'log.csv'}\n{out / 'curves.svg'}")
    named = f"factory: {factory}" if factory else "kind: default"
    click.echo(
        f"In report.yaml: model: {{{named}, weights: {weights}, mean: {job.mean}, std: {job.std}}}"
    )
    return EXIT_DONE


@click.command()
@file_argument
@cache_option
@set_option
@click.option("--split", help="Which split; default the report's.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
def evaluate(
    file: Path, cache: Path | None, overrides: tuple[str, ...], split: str | None, as_json: bool
) -> int:
    """Score the report's network on a labelled split: accuracy, recall, confusion.

    \b
    Examples:
      fervis evaluate
      fervis evaluate --split PrivateTest --json > scores.json
    """
    from fervis import survey

    numbers = survey.evaluate(file, split=split, cache=cache, overrides=overrides)
    if as_json:
        click.echo(json.dumps(numbers, indent=2, ensure_ascii=False))
        return EXIT_DONE
    click.echo(
        f"{numbers['split']}: {numbers['pictures']} pictures, accuracy "
        f"{numbers['accuracy']:.2%} (95 % interval {numbers['low']:.2%} to "
        f"{numbers['high']:.2%})"
    )
    for row in numbers["classes"]:
        recall = "—" if row["recall"] is None else f"{row['recall']:.1%}"
        click.echo(f"  {row['name']:12} recall {recall:>7}  of {row['support']:.0f}")
    return EXIT_DONE
