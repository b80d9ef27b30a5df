"""Peak memory of a build and of long jobs: python benchmarks/memory.py prints a table.

A build's is that of all its processes together (proportional share, sampled); a job's is that of
its own process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
JOBS = (("predictions", 500), ("predictions", 28_709), ("saliency", 500), ("saliency", 2_000))
INTERVAL = 0.02  # seconds


def build_peak() -> float:
    """Megabytes of a cold build of the default report, its PDF processes included."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "fervis", "build", str(HERE.parent / "report.yaml"), "-q",
            "--out", f"{folder}/site", "--cache", f"{folder}/cache",
        ]  # fmt: skip
        process = subprocess.Popen(command, start_new_session=True)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, sum(map(share, members(process.pid))))
            time.sleep(INTERVAL)
        if process.returncode:
            sys.exit(f"the build failed: {process.returncode}")
    return peak


def members(group: int) -> Iterator[Path]:
    """The processes of a process group."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if os.getpgid(int(folder.name)) == group:
                    yield folder
            except ProcessLookupError:
                continue


def share(process: Path) -> float:
    """Megabytes of a process; what several share is divided between them."""
    try:
        lines = (process / "smaps_rollup").read_text("ascii").splitlines()
    except (OSError, ValueError):  # it has ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def job(name: str, count: int) -> float:
    """Megabytes of a process that runs one job over ``count`` memory-mapped pictures.

    As a build does it: in parts, each of which is stored before the next begins.
    """
    from work import classifier

    from fervis.analyses import REGISTRY, Subjects
    from fervis.engine.run import BATCH

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "images.npy")
        with file.open("wb") as stream:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, 48, 48, 1)}
            np.lib.format.write_array_header_1_0(stream, header)
            for number in range(count):
                noise = np.random.default_rng(number).integers(0, 256, 48 * 48, np.uint8)
                stream.write(noise.tobytes())
        images = np.load(file, mmap_mode="r")
        net, module = classifier("float32"), REGISTRY[name]
        if name == "predictions":
            net.probabilities(images)
        else:
            for start in range(0, count, BATCH):
                part = images[start : start + BATCH]
                rngs = tuple(np.random.default_rng(number) for number in range(len(part)))
                module.compute(
                    net, Subjects(part, np.zeros(len(part), int), rngs), module.Options()
                )
    # Not ru_maxrss: that begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def table() -> Iterator[str]:
    """The table in Markdown."""
    yield "| work | peak |"
    yield "| --- | ---: |"
    yield f"| the default report, built cold, all processes | {build_peak():.0f} MB |"
    for name, count in JOBS:
        command = [sys.executable, __file__, name, str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        yield f"| {name} of {count:,} pictures | {float(done.stdout):.0f} MB |"


if __name__ == "__main__":
    if sys.argv[1:]:
        print(job(sys.argv[1], int(sys.argv[2])))
    else:
        for each in table():
            print(each, flush=True)
