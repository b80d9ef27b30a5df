"""docs/analyses/<name>.md: what an analysis says of itself, and below what was written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fervis.analyses import REGISTRY, Analysis

MARK = "<!-- Below is written by hand; tools/docs.py keeps it. -->\n"
HEAD = "<!-- Written by tools/docs.py from fervis/analyses/{name}.py; see the next comment. -->"
SHOWS = {
    "image": "One figure for each picture.",
    "network": "One figure for the network; no picture is needed.",
    "split": "One figure for a whole split, which must have labels.",
    "log": "One figure for a training log.",
}
EXAMPLES = {"layer": "conv2", "image": "0"}
"""Values for options that must be given."""

Table = Callable[[type[BaseModel]], Iterator[str]]


def pages(folder: Path, rows: Table) -> dict[Path, str]:
    """Every page as it should be; ``rows`` gives a model's options as rows of a table."""
    found = {}
    for name, analysis in REGISTRY.items():
        path = folder / f"{name}.md"
        found[path] = page(name, analysis, rows) + MARK + by_hand(path)
    return found


def by_hand(path: Path) -> str:
    """What stands below the mark; nothing for a page that is not there yet."""
    return path.read_text("utf-8").partition(MARK)[2] if path.is_file() else ""


def page(name: str, analysis: Analysis, rows: Table) -> str:
    """What the module says of itself."""
    options = analysis.Options
    lines = [
        HEAD.format(name=name),
        f"# {analysis.TITLE.msgid}",
        f"**{analysis.ANSWERS.msgid}** {SHOWS[analysis.SCOPE]}",
        f"```yaml\n- {name}: {_example(options)}\n```",
        f"```math\n{analysis.FORMULA}\n```" if analysis.FORMULA else "",
        f"What it cannot show: {analysis.LIMITS.msgid}",
        f"Source: {analysis.PAPER}" if analysis.PAPER else "",
        "## Options",
        "\n".join([
            "| option | what it may be | if left out | what it does |",
            "|---|---|---|---|",
            *rows(options),
        ]),
        "Beside it may stand `title`, `text` and `notes`, see "
        "[report.yaml](../report-yaml.md#answer).\n",
    ]  # fmt: skip
    return "\n\n".join(line for line in lines if line) + "\n"


def _example(options: type[BaseModel]) -> str:
    fields: dict[str, Any] = options.model_fields
    needed = [f"{key}: {EXAMPLES.get(key, '…')}" for key in fields if fields[key].is_required()]
    if "images" in fields:
        needed.append("images: all")
    return "{" + ", ".join(needed) + "}"
