"""One side of one benchmark row: python benchmarks/work.py ROW SIDE FOLDER prints its seconds.

Two numbers: by the clock, and of all processors together, which other work disturbs less.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def main() -> None:
    row, side, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    print(json.dumps(WORK[row](side, folder)))


Times = tuple[float, float]
"""Seconds by the clock and of the processors, processes that were started included."""


def timed(work: Callable[[], object]) -> Times:
    start, spent = time.perf_counter(), processor()
    work()
    return time.perf_counter() - start, processor() - spent


def processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def classifier(side: str):
    from fervis.model.classifier import load
    from fervis.model.options import ModelOptions

    return load(ModelOptions(kind="default"), folder=HERE, classes=7, precision=side)


def pictures(count: int):
    from fervis.data.faces import shipped

    faces = shipped.load("test")
    which = np.resize(np.arange(len(faces)), count)
    return faces.images[which], faces.labels[which]


def subjects(count: int):
    from fervis.analyses import Subjects

    images, labels = pictures(count)
    rngs = tuple(np.random.default_rng([0, number]) for number in range(count))
    return Subjects(images[..., None], labels, rngs)


def analysis(side: str, name: str, count: int, **options: object) -> Times:
    from fervis.analyses import REGISTRY

    net, module = classifier(side), REGISTRY[name]
    chosen, asked = module.Options.model_validate(options), subjects(count)
    return timed(lambda: module.compute(net, asked, chosen))


def report(side: str, folder: Path) -> Times:
    if side == "peer":
        command = [sys.executable, str(HERE / "peers.py"), str(folder)]
    else:
        command = build_command(folder, side)
    return timed(lambda: subprocess.run(command, check=True, capture_output=True))


def build_command(folder: Path, side: str = "auto") -> list[str]:
    return [
        sys.executable,
        "-m",
        "fervis",
        "build",
        str(HERE / "homework.yaml"),
        "-q",
        "--out",
        str(folder / "site"),
        "--cache",
        str(folder / "cache"),
        "--precision",
        side,
    ]


def lime(side: str, _folder: Path) -> Times:
    if side == "peer":
        import peers

        net, (images, _) = peers.network(), pictures(7)
        return timed(lambda: peers.lime(net, images))
    return analysis(side, "lime", 7, samples=1000, design="lime")


def lime_steady(side: str, _folder: Path) -> Times | None:
    """Against 1000 random samples: as many balanced ones as give the same spread."""
    return lime(side, _folder) if side == "peer" else analysis(side, "lime", 7, samples=512)


def filters(layer: str, index: int) -> Callable[[str, Path], Times]:
    def work(side: str, _folder: Path) -> Times:
        if side == "peer":
            import peers

            net = peers.network()
            return timed(lambda: peers.filters(net, net.features[index], 32))
        return analysis(side, "filters", 1, layer=layer, first=32, steps=64)

    return work


def forward(side: str, _folder: Path) -> Times | None:
    images, _ = pictures(3589)
    if side == "peer":
        import peers

        net = peers.network()
        return timed(lambda: peers.predict(net, images))
    if side == "auto":
        return None  # reported probabilities are always float32
    net = classifier(side)
    return timed(lambda: net.probabilities(images[..., None]))


def saliency(side: str, _folder: Path) -> Times | None:
    if side == "peer":
        import peers

        net, (images, labels) = peers.network(), pictures(700)
        return timed(lambda: peers.saliency(net, images, labels))
    return None if side == "auto" else analysis(side, "saliency", 700)


def gradcam(side: str, _folder: Path) -> Times | None:
    if side == "peer":
        import peers

        net, (images, labels) = peers.network(), pictures(700)
        return timed(lambda: peers.gradcam(net, net.features[5], images, labels))
    return None if side == "auto" else analysis(side, "gradcam", 700, layer="conv2.relu")


def rebuilt(change: Callable[[str], str]) -> Callable[[str, Path], Times | None]:
    """Seconds of a second build after ``change`` of the file's text."""

    def work(side: str, folder: Path) -> Times | None:
        if side != "auto":
            return None
        file = folder / "report.yaml"
        shutil.copy(HERE / "homework.yaml", file)
        command = [sys.executable, "-m", "fervis", "build", str(file), "-q"]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        file.write_text(change(file.read_text("utf-8")), "utf-8")
        return timed(lambda: subprocess.run(command, check=True, capture_output=True))

    return work


WORK: dict[str, Callable[[str, Path], Times | None]] = {
    "report": report,
    "lime": lime,
    "lime_steady": lime_steady,
    "filters_conv2": filters("conv2", 3),
    "filters_conv3": filters("conv3", 7),
    "forward": forward,
    "saliency": saliency,
    "gradcam": gradcam,
    "unchanged": rebuilt(lambda text: text),
    "words": rebuilt(lambda text: text.replace("title: Saliency", "title: Saliency maps")),
    "one_index": rebuilt(lambda text: text.replace("0: 21", "0: 28")),
}

if __name__ == "__main__":
    main()
