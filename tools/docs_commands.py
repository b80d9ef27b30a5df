"""The parts of docs/commands.md and docs/templates.md that the code knows."""

from __future__ import annotations

import re
from pathlib import Path

import click

from fervis.cli import COMMANDS, cli

_COMMENT = re.compile(r"\{#\s*(.*?)\s*#\}", re.DOTALL)
_BLOCK = re.compile(r"{%-?\s*block\s+(\w+)")


def region(text: str, name: str, content: str) -> str:
    """``text`` with ``content`` between ``<!-- name -->`` and ``<!-- /name -->``."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*(<!-- /{name} -->\n)", re.DOTALL)
    assert pattern.search(text), f"no region {name}"
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def commands() -> str:
    """The help of every command, as it is on a terminal of 90 columns."""
    parts = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        parent = click.Context(cli, info_name="fervis")
        context = click.Context(command, info_name=name, parent=parent, max_content_width=90,
                                terminal_width=90, help_option_names=["-h", "--help"])  # fmt: skip
        parts.append(f"### fervis {name}\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def blocks(folder: Path) -> str:
    """A table of the templates, what each is and which blocks it has."""
    rows = ["| template | what it is | blocks |", "|---|---|---|"]
    files = [*sorted(folder.glob("*.html")), *sorted((folder / "analyses").glob("*.html"))]
    for file in files:
        text = file.read_text("utf-8")
        said = _COMMENT.search(text)
        what = re.split(r"\s*Blocks:", " ".join(said[1].split()))[0] if said else ""
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(_BLOCK.findall(text)))
        what = what.replace("|", r"\|")
        rows.append(f"| `{file.relative_to(folder).as_posix()}` | {what} | {names} |")
    return "\n".join(rows)
