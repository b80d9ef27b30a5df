"""Measure fervis against the tools people use, in pairs, and write benchmarks/RESULTS.md.

    python benchmarks/bench.py [--rounds 3] [--only lime,filters_conv2] [--more]

Both sides of a row run in turn, on one machine, in processes of their own; a row shows the
medians by the clock; a second table has the seconds of all processors together, which other work
on the machine disturbs less. Rows that are not measured stay as they are in the file. "fp32" is
plain float32; "auto" may use bfloat16 for sampling and search where the processor has it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = Path(tempfile.gettempdir(), f"fervis-bench-{os.getpid()}")
ROWS = {
    "report": "the homework's whole report, one language, cold",
    "report_steady": "the same, LIME by 512 balanced samples (the default)",
    "lime": "7 × LIME, 1000 random samples",
    "lime_steady": "7 × LIME, equal spread: 1000 random, 384 balanced samples",
    "filters_conv2": "gradient ascent, 32 filters of conv2, 64 steps",
    "filters_conv3": "gradient ascent, 32 filters of conv3, 64 steps",
    "forward": "3,589 forward passes, against eager at batch 128",
    "forward_frozen": "the same, against frozen TorchScript",
    "saliency": "saliency of 700 pictures, against captum one by one",
    "gradcam": "Grad-CAM of 700 pictures, against captum one by one",
    "import_torch": "Python and torch imported, nothing else",
    "unchanged": "default report: nothing changed",
    "words_html": "default report: an observation changed, pages only",
    "words": "default report: an observation changed, pages and two PDFs",
    "new_character": "default report: a character nobody used, pages and two PDFs",
    "one_index_html": "default report: one index changed, pages only",
    "one_index": "default report: one index changed, pages and two PDFs",
    "csv_first": "a CSV of 35,887 rows, first read",
    "csv_again": "the same, opened again",
}
SAME_PEER = {"report_steady": "report", "lime_steady": "lime"}
"""Rows whose usual tool has been measured in another row."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument(
        "--more", action="store_true", help="LIME's spread, memory and equality, too"
    )
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    given = parser.parse_args()
    SHARED.mkdir(exist_ok=True)
    old = given.out.read_text("utf-8") if given.out.exists() else ""
    parts = old.split("\n## ")[1:]
    before = [part.splitlines() for part in parts[:2]] or [[], []]
    rest = [f"\n## {part}".rstrip("\n") for part in parts[2:]]
    medians: dict[str, dict[str, tuple[float, float]]] = {}
    for row in given.only.split(","):
        times: dict[str, list[tuple[float, float]]] = {}
        for _ in range(given.rounds):
            for side in ("peer", "float32", "auto"):
                if side == "peer" and SAME_PEER.get(row) in medians:
                    continue
                if (seconds := measured(row, side)) is not None:
                    times.setdefault(side, []).append(seconds)
        medians[row] = {side: middle(found) for side, found in times.items()}
        if (other := SAME_PEER.get(row)) in medians:
            medians[row]["peer"] = medians[other]["peer"]
        print(line(row, {side: pair[0] for side, pair in medians[row].items()}), flush=True)
        lines = [*tables(medians, given.rounds, before), *rest]
        given.out.write_text("\n".join(lines) + "\n", "utf-8")
    if not given.more:
        return
    import agree
    import memory
    import spread

    lines = tables(medians, given.rounds, before)
    lines += ["", "## Spread of LIME's weights from seed to seed", "", *spread.table()]
    lines += ["", "## Peak memory", "", *memory.table()]
    lines += ["", "## Do both sides get the same numbers?", "", *agree.table()]
    given.out.write_text("\n".join(lines) + "\n", "utf-8")


def middle(found: list[tuple[float, float]]) -> tuple[float, float]:
    clock, processors = zip(*found, strict=True)
    return statistics.median(clock), statistics.median(processors)


def tables(
    medians: dict[str, dict[str, tuple[float, float]]], rounds: int, before: Sequence[Sequence[str]]
) -> list[str]:
    """The file's lines; ``before`` has those of its two tables as they were."""
    lines = [*header(), f"Medians of {rounds} rounds. What a run leaves out stays from one before."]
    for place, title in enumerate(("By the clock", "Of all processors together")):
        lines += [
            "",
            f"## {title}",
            "",
            "| work | usual tools | fervis fp32 | ratio | fervis auto | ratio |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for row, name in ROWS.items():
            if row in medians:
                sides = medians[row].items()
                lines.append(line(row, {side: pair[place] for side, pair in sides}))
            else:  # measured before
                lines += [each for each in before[place] if each.startswith(f"| {name} |")]
    return lines


def measured(row: str, side: str) -> tuple[float, float] | None:
    """Seconds of one run in a fresh process; None where the row has no such side."""
    worker = [sys.executable, str(HERE / "work.py"), row, side]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FERVIS_BENCH": str(SHARED), "PYTHONDONTWRITEBYTECODE": ""}
        done = subprocess.run(
            [*worker, folder], capture_output=True, text=True, check=False, env=environment
        )
    if done.returncode:
        sys.exit(f"{row} {side}:\n{done.stderr}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return None if answer is None else (float(answer[0]), float(answer[1]))


def line(row: str, medians: dict[str, float]) -> str:
    peer = medians.get("peer")

    def cell(side: str) -> str:
        return f"{medians[side]:.2f} s" if side in medians else "—"

    def ratio(side: str) -> str:
        return f"{peer / medians[side]:.1f} ×" if peer and side in medians else "—"

    cells = [cell("peer"), cell("float32"), ratio("float32"), cell("auto"), ratio("auto")]
    return f"| {ROWS[row]} | " + " | ".join(cells) + " |"


def header() -> list[str]:
    from importlib.metadata import version

    names = ("torch", "numpy", "lime", "captum", "scikit-image", "weasyprint", "matplotlib")
    cpu = next(
        (
            each.split(":")[1].strip()
            for each in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if "model name" in each
        ),
        platform.processor(),
    )
    return [
        "# Benchmark results",
        "",
        f"{time.strftime('%Y-%m-%d')}, {cpu}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; " + ", ".join(f"{n} {version(n)}" for n in names) + ".",
        "",
        f"Load of the machine: {os.getloadavg()[2]:.1f} over the last 15 minutes; what is above 1 "
        "or 2 was other work, and then the second table is the one to trust.",
        "",
    ]


if __name__ == "__main__":
    main()
