"""The command that puts the site on the web: publish."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fervis.cli.options import cache_option, file_argument, out_option
from fervis.cli.outcome import shown
from fervis.errors import EXIT_DONE

if TYPE_CHECKING:
    from fervis.pages import Plan


@click.command()
@file_argument
@out_option
@cache_option
@click.option("--branch", default="gh-pages", show_default=True, help="It is replaced as a whole.")
@click.option("--remote", default="origin", show_default=True, help="Where it is pushed.")
@click.option("--no-push", is_flag=True, help="Only commit to the branch here.")
@click.option(
    "--all-pictures", is_flag=True, help="Pixels of galleries too, though the data is not free."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def publish(
    file: Path,
    out: Path | None,
    cache: Path | None,
    branch: str,
    remote: str,
    no_push: bool,
    all_pictures: bool,
    yes: bool,
) -> int:
    """Put the finished site on a branch for GitHub Pages, after showing what that means.

    Of data that may not be passed on in bulk (FER2013, and your own unless report.yaml says
    `redistributable: true`) the pictures in galleries go out as gray areas; the report's own
    pictures stay. The history of the branch is kept.

    \b
    Examples:
      fervis publish                      show, ask, commit and push
      fervis publish --no-push            only commit to gh-pages here
      fervis publish --yes --remote pages
    """
    from fervis import pages, survey

    site = (out or file.absolute().parent / "site").absolute()
    free, why = survey.may_be_published(file, cache=cache)
    galleries = free or all_pictures
    wanted = pages.plan(site, branch=branch, remote=remote, galleries=galleries)
    _show(wanted, push=not no_push)
    if wanted.blanked or wanted.omitted:
        click.echo(
            f"  left out, because {why}: the pixels of {len(wanted.blanked)} pictures in galleries "
            f"(gray areas go out instead) and {len(wanted.omitted)} data files of galleries; "
            "--all-pictures publishes them"
        )
    elif not free:
        said = (
            "goes out whole" if all_pictures else "has no gallery; the report's own pictures stay"
        )
        click.echo(f"  note: {why}; the site {said}")
    for doubt in survey.doubts(file, site, cache=cache):
        click.secho(f"  warning: {doubt}", fg="yellow", err=True)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here; look at the above and add --yes")
        if not click.confirm("Publish?"):
            click.echo("nothing was published")
            return EXIT_DONE
    commit = pages.publish(wanted, galleries=galleries, push=not no_push)
    click.echo(f"{branch} is now {commit[:12]}")
    if wanted.address and not no_push:
        click.echo(
            f"{wanted.address} shows it in a minute (Settings → Pages → Deploy from a branch → "
            f"{branch})"
        )
    return EXIT_DONE


def _show(wanted: Plan, *, push: bool) -> None:
    where = f"{wanted.remote} ({wanted.url})" if push else f"{wanted.repository}, without a push"
    click.echo(f"{shown(wanted.site)} → branch {wanted.branch} of {where}")
    for name, count, size in wanted.folders():
        files = "" if count == 1 and not name.endswith("/") else f"{count} files"
        click.echo(f"  {name:24} {files:>10}  {_bytes(size):>9}")
    click.echo(f"  in all {len(wanted.files)} files, {_bytes(wanted.size)}", nl=False)
    click.echo(
        f"; they replace the {wanted.replaces} files that the branch has now"
        if wanted.replaces
        else "; the branch is new"
    )


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
