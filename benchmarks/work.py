"""One side of one benchmark row: python benchmarks/work.py ROW SIDE FOLDER prints its seconds.

Two numbers: by the clock, and of all processors together, which other work disturbs less.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("FERVIS_BENCH", tempfile.gettempdir()))
"""A folder in which the default report was built once, and is changed again and again."""

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


def report(homework: str) -> Callable[[str, Path], Times]:
    """Process start to PDF, nothing stored."""

    def work(side: str, folder: Path) -> Times:
        if side == "peer":
            command = [sys.executable, str(HERE / "peers.py"), str(folder)]
        else:
            file = folder / "report.yaml"
            file.write_text(homework, "utf-8")
            command = [*build(file), "--precision", side]
        return timed(lambda: subprocess.run(command, check=True, capture_output=True))

    return work


def build(file: Path) -> list[str]:
    return [sys.executable, "-m", "fervis", "build", str(file), "-q"]


def lime(side: str, _folder: Path) -> Times:
    if side == "peer":
        import peers

        net, (images, _) = peers.network(), pictures(7)
        return timed(lambda: peers.lime(net, images))
    return analysis(side, "lime", 7, samples=1000, design="lime")


def lime_steady(side: str, _folder: Path) -> Times | None:
    """Against 1000 random samples: as many balanced ones as give the same spread."""
    return lime(side, _folder) if side == "peer" else analysis(side, "lime", 7, samples=384)


def filters(layer: str, index: int) -> Callable[[str, Path], Times]:
    def work(side: str, _folder: Path) -> Times:
        if side == "peer":
            import peers

            net = peers.network()
            return timed(lambda: peers.filters(net, net.features[index], 32))
        return analysis(side, "filters", 1, layer=layer, first=32, steps=64, rate=0.1)

    return work


def forward(prepared: str) -> Callable[[str, Path], Times | None]:
    """3,589 pictures. What others prepare beforehand is not counted; what fervis does is."""

    def work(side: str, _folder: Path) -> Times | None:
        images, _ = pictures(3589)
        if side == "peer":
            import peers

            net = peers.prepared(peers.network(), prepared)
            return timed(lambda: peers.predict(net, images))
        if side == "auto":
            return None  # reported probabilities are always float32
        net = classifier(side)
        return timed(lambda: net.probabilities(images[..., None]))

    return work


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


Change = Callable[[str], str]


def rebuilt(change: Change, *options: str) -> Callable[[str, Path], Times | None]:
    """A build of the default report after ``change`` of its text; the one before is stored."""

    def work(side: str, _folder: Path) -> Times | None:
        if side != "auto":
            return None
        file, text = SHARED / "report.yaml", (HERE.parent / "report.yaml").read_text("utf-8")
        command = [*build(file), *options]
        for each in (text, change(text)):
            file.write_text(each, "utf-8")
            times = timed(lambda: subprocess.run(command, check=True, capture_output=True))
        return times

    return work


def replaced(old: str, new: Callable[[], str]) -> Change:
    def change(text: str) -> str:
        if old not in text:
            raise ValueError(f"the report has no {old!r} any more")
        return text.replace(old, new(), 1)

    return change


def unseen_character() -> str:
    return chr(random.randrange(0x4E00, 0x9F00))


def another_sad_picture() -> str:
    """One that no round has had yet, for its results would be stored; then any one again."""
    file, every = SHARED / "had", [f"  4: {index}" for index in range(4, 336, 7)]
    had = file.read_text("utf-8").splitlines() if file.exists() else []
    fresh = [line for line in every if line not in had] or every
    file.write_text("\n".join([*had, chosen := random.choice(fresh)]), "utf-8")
    return chosen


def imports(side: str, _folder: Path) -> Times | None:
    if side != "auto":
        return None
    command = [sys.executable, "-c", "import torch"]
    return timed(lambda: subprocess.run(command, check=True))


def table(again: bool) -> Callable[[str, Path], Times | None]:
    """A CSV like FER2013's, with as many rows and pixels of noise: read, or opened again."""

    def work(side: str, folder: Path) -> Times | None:
        if side != "auto":
            return None
        from fervis import data

        file, rng = folder / "fer2013.csv", np.random.default_rng(0)
        with file.open("w", encoding="ascii") as stream:
            stream.write("emotion,pixels,Usage\n")
            for split, rows in (("Training", 28709), ("PublicTest", 3589), ("PrivateTest", 3589)):
                for pixels in rng.integers(0, 256, (rows, 48 * 48), np.uint8):
                    stream.write(f"{rng.integers(7)},{' '.join(map(str, pixels))},{split}\n")
        options = data.KINDS["fer2013"].model_validate(
            {"kind": "fer2013", "path": file.name, "split": "PublicTest"}
        )

        def opened() -> None:
            data.open_dataset(options, folder=folder, cache=folder, size=(48, 48), channels=1)

        if again:
            time.sleep(5)  # what was written a moment ago is read again, lest a change be missed
            opened()
        return timed(opened)

    return work


NOTE = (
    '幾乎沒有份量（5%/9%）。, en: "The lowered brows',
    '份量最少。, en: "The lowered eyebrows',
)
"""An observation of the default report in both its languages, and what it is changed to."""

HOMEWORK = (HERE / "homework.yaml").read_text("utf-8")
STEADY = replaced("samples: 1000, segments: 64, design: lime", lambda: "samples: 512")(HOMEWORK)

WORK: dict[str, Callable[[str, Path], Times | None]] = {
    "report": report(HOMEWORK),
    "report_steady": report(STEADY),
    "lime": lime,
    "lime_steady": lime_steady,
    "filters_conv2": filters("conv2", 3),
    "filters_conv3": filters("conv3", 7),
    "forward": forward("eager"),
    "forward_frozen": forward("frozen"),
    "saliency": saliency,
    "gradcam": gradcam,
    "import_torch": imports,
    "unchanged": rebuilt(lambda text: text),
    "words_html": rebuilt(replaced(NOTE[0], lambda: NOTE[1]), "--no-pdf"),
    "words": rebuilt(replaced(NOTE[0], lambda: NOTE[1])),
    "new_character": rebuilt(replaced("林小真", unseen_character)),
    "one_index_html": rebuilt(replaced("  4: 144", another_sad_picture), "--no-pdf"),
    "one_index": rebuilt(replaced("  4: 144", another_sad_picture)),
    "csv_first": table(again=False),
    "csv_again": table(again=True),
}

if __name__ == "__main__":
    main()
