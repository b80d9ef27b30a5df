"""Writes what the documentation can take from the code: docs/, the table in README.md.

    .venv/bin/python tools/docs.py

The descriptions are those of the options themselves; change them there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator
from pathlib import Path

from docs_analyses import pages
from docs_commands import blocks, commands, region
from pydantic import BaseModel

from fervis import spec
from fervis.analyses import REGISTRY, Analysis
from fervis.data import KINDS, DataOptions
from fervis.model.options import ModelOptions
from fervis.render import packaged_templates
from fervis.spec.shape import BesideShape, NoteShape, QuestionShape, ReferenceShape, ReportShape

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "report-yaml.md"
README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"
TEMPLATES = ROOT / "docs" / "templates.md"
ANALYSES = ROOT / "docs" / "analyses"
TABLE = re.compile(r"(<!-- analyses -->\n).*(<!-- /analyses -->\n)", re.DOTALL)

HEAD = """\
<!-- Written by tools/docs.py from the descriptions of the options; change them in the code. -->
# report.yaml

One file says everything: the data, the network, the pictures, the questions and what you saw.

```yaml
version: 1
title: {zh-Hant: 卷積神經網路的解釋, en: Explaining a convolutional network}
languages: [zh-Hant, en]
author: {student id: B00000000, name: 王小明}
data: {kind: fer2013, path: fer2013.csv, split: PublicTest}
model: {factory: hw3.py:Net, weights: hw3.pt, mean: 0.5, std: 0.25}
images: {0: 12, 1: auto, 2: 55, eyes: 812}
questions:
  - title: Saliency maps
    points: 2
    collaborators: None
    answer:
      - saliency: {images: all}
        notes:
          0: The eyebrows and the forehead.
          eyes: {text: The hand, not the face., verdict: wrong}
references:
  - {key: simonyan, text: "Simonyan et al. 2013", url: "https://arxiv.org/abs/1312.6034"}
```

Relative paths start from the folder of the file. Wherever a text may stand, there may be one string
for every language, or one string per language; texts are Markdown. An unknown key is an error, and
all errors are reported at once with line and column (`fervis check`). `fervis schema` prints a JSON
Schema for editors; `--set images.4=812` changes a value for one run.
"""

VERSION = """\
The form of the file, not of the report: a whole number that changes only when a file that was right
would be read differently or no longer be read. New analyses, options and fields do not change it:
a report of today is read by every later fervis of the same version. When it changes, the CHANGELOG
says what to edit. A file of another version is refused with a sentence that says which fervis reads
it, and never read in part. Results do not depend on it; they are kept by their content
([results](cache.md)).
"""

IMAGES = """\
A key is a class number or a name of your own; the value is an index in the split, counted from 0.
`auto`, for a class, takes the correctly classified picture of that class whose confidence is the
median of its class; the build prints which one that is. `fervis pick` writes a page with every
picture and its index.
"""

ANSWER = """\
A part is one of the analyses below (`- saliency: {images: all}`), or `- text: …`, or `- math: …`
with a formula in LaTeX. Beside an analysis there may be:
"""

NOTE = """\
The author's order of the notes is kept. A note is a text, or a text with a verdict:
"""


def page() -> str:
    """The whole of docs/report-yaml.md."""
    common = set(DataOptions.model_fields) - {"kind", "split"}
    sections = [
        HEAD,
        _section(2, "The file", "", ReportShape),
        "## version\n\n" + VERSION,
        "## images\n\n" + IMAGES,
        _section(2, "data", "What every kind of data set accepts:\n", DataOptions, {"kind"}),
        *(
            _section(3, f"kind: {kind}", "", options, common | {"kind"})
            for kind, options in KINDS.items()
        ),
        _section(2, "model", "", ModelOptions),
        _section(2, "questions", "", QuestionShape),
        _section(3, "answer", ANSWER, BesideShape),
        _section(3, "notes", NOTE, NoteShape),
        _section(2, "references", "", ReferenceShape),
        "## Analyses\n\nEach can be used any number of times.\n",
        *(_analysis(name, analysis) for name, analysis in REGISTRY.items()),
    ]
    return "\n".join(sections)


def readme() -> str:
    """README.md with the table of analyses as it should be."""
    rows = ["| | part of an answer | the question it answers |", "|---|---|---|"]
    rows += [
        f"| {_thumbnail(name, analysis)} | [`{name}`](docs/analyses/{name}.md) "
        f"| {_cell(analysis.ANSWERS.msgid)} |"
        for name, analysis in REGISTRY.items()
    ]
    table = "\n".join(rows)
    return TABLE.sub(lambda match: f"{match[1]}{table}\n{match[2]}", README.read_text("utf-8"))


def _thumbnail(name: str, analysis: Analysis) -> str:
    """A small picture of the analysis, made by tools/readme_pictures.py, where there is one."""
    if not (ROOT / "docs" / "images" / f"{name}.png").is_file():
        return ""
    return f'<img src="docs/images/{name}.png" height="64" alt="{analysis.TITLE.msgid}">'


def _analysis(name: str, analysis: Analysis) -> str:
    text = (
        f"**{analysis.TITLE.msgid}.** {analysis.ANSWERS.msgid}\n\n"
        f"What it cannot show: {analysis.LIMITS.msgid}\n"
    )
    if analysis.PAPER:
        text += f"\nSource: {analysis.PAPER}\n"
    text += f"\nHow to read it: [{name}](analyses/{name}.md).\n"
    return _section(3, name, text, analysis.Options)


def _section(
    level: int, title: str, text: str, options: type[BaseModel], without: Container[str] = ()
) -> str:
    rows = list(_rows(options, without))
    parts = ["#" * level + f" {title}\n"]
    if text:
        parts.append(text)
    if rows:
        head = ["| option | what it may be | if left out | what it does |", "|---|---|---|---|"]
        parts.append("\n".join([*head, *rows]) + "\n")
    return "\n".join(parts)


def _rows(options: type[BaseModel], without: Container[str]) -> Iterator[str]:
    for name, kind, default, description in spec.describe(options):
        if name in without:
            continue
        if options.model_fields[name].is_required():
            absent = "must be given"
        else:
            absent = "" if default in ("null", "", "[]", "{}") else f"`{default}`"
        kind = "" if kind == "anything" else kind
        yield f"| `{name}` | {_cell(kind)} | {_cell(absent)} | {_cell(description)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def main() -> None:
    """Writes them all; ``--check`` only says whether they are current."""
    wanted = {
        PAGE: page(),
        README: readme(),
        COMMANDS: region(COMMANDS.read_text("utf-8"), "commands", commands()),
        TEMPLATES: region(TEMPLATES.read_text("utf-8"), "templates", blocks(packaged_templates())),
        **pages(ANALYSES, lambda options: _rows(options, ())),
    }
    if "--check" in sys.argv[1:]:
        old = [
            path.name
            for path, text in wanted.items()
            if not path.is_file() or path.read_text("utf-8") != text
        ]
        old += [path.name for path in ANALYSES.glob("*.md") if path not in wanted]
        sys.exit(f"out of date: {', '.join(old)}; run tools/docs.py" if old else 0)
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
