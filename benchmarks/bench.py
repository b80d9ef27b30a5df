"""Measure fervis against the tools people use, in pairs, and write benchmarks/RESULTS.md.

    python benchmarks/bench.py [--rounds 3] [--only lime,filters]

Both sides of a row run in turn, on one machine, in processes of their own; a row shows the
medians. "fp32" is plain float32; "auto" may use bfloat16 for sampling where the processor has it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS = (
    "report",
    "lime",
    "lime_steady",
    "filters_conv2",
    "filters_conv3",
    "forward",
    "saliency",
    "gradcam",
    "unchanged",
    "words",
    "one_index",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    given = parser.parse_args()
    lines = [
        *header(),
        "| work | usual tools | fervis fp32 | ratio | fervis auto | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in given.only.split(","):
        times: dict[str, list[float]] = {}
        for _ in range(given.rounds):
            for side in ("peer", "float32", "auto"):
                if (seconds := measured(row, side)) is not None:
                    times.setdefault(side, []).append(seconds)
        lines.append(line(row, {side: statistics.median(all_) for side, all_ in times.items()}))
        print(lines[-1], flush=True)
        given.out.write_text("\n".join(lines) + "\n", "utf-8")
    if "lime_steady" in given.only:
        from spread import table

        lines += ["", "Seed-to-seed spread of LIME's weights (see benchmarks/spread.py):", ""]
        lines += table()
    given.out.write_text("\n".join(lines) + "\n", "utf-8")


def measured(row: str, side: str) -> float | None:
    """Seconds of one run in a fresh process; None where the row has no such side."""
    worker = [sys.executable, str(HERE / "work.py"), row, side]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*worker, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{row} {side}:\n{done.stderr}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return None if answer is None else float(answer)


def line(row: str, medians: dict[str, float]) -> str:
    peer = medians.get("peer")

    def cell(side: str) -> str:
        return f"{medians[side]:.2f} s" if side in medians else "—"

    def ratio(side: str) -> str:
        return f"{peer / medians[side]:.1f} ×" if peer and side in medians else "—"

    cells = [cell("peer"), cell("float32"), ratio("float32"), cell("auto"), ratio("auto")]
    return f"| {row.replace('_', ' ')} | " + " | ".join(cells) + " |"


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
    import os

    return [
        "# Benchmark results",
        "",
        f"{time.strftime('%Y-%m-%d')}, {cpu}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; " + ", ".join(f"{n} {version(n)}" for n in names),
        "",
    ]


if __name__ == "__main__":
    main()
