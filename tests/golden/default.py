"""The default report from stored results, so that no machine's last digits are in its pages.

default.npz holds what the analyses found once, in half precision. They are put into a store under
the keys that they have today, and an ordinary build of report.yaml finds everything there.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fervis import pipeline, survey
from fervis.analyses import REGISTRY
from fervis.engine import ground as grounds
from fervis.engine.plan import Ground, Task, image_task, tasks_of
from fervis.engine.run import probabilities, probabilities_key
from fervis.engine.store import Entry

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "report.yaml"
ARRAYS = HERE / "default.npz"
EXPECTED = HERE / "default"
WHOLE = ("index", "en/index", "en/confusion", "en/network", "en/methods", "en/image/52")
"""Pages that are kept as they are, one of each type; of all others a digest is kept."""

_FACTS = "facts"  # numbers and options of every result, as JSON
_GRID = 4
_NEAR = 3  # gray levels of 255


@dataclass(frozen=True)
class Standing:
    """The default report's tasks by names that no machine changes, on data and network."""

    opened: survey.Opened
    ground: Ground
    tasks: dict[str, Task]

    @property
    def probabilities_key(self) -> str:
        """Where the probabilities of the whole split are stored."""
        return probabilities_key(self.opened.dataset, self.opened.network)


def standing(cache: Path) -> Standing:
    """The tasks of report.yaml, none of them computed."""
    opened = survey.open_report(REPORT, cache=cache)
    ground = grounds.stand(
        opened.report, opened.dataset, opened.network, cache, opened.store, lambda *_: None
    )
    options = REGISTRY["predictions"].Options()
    found = {
        f"predictions/{name}": image_task("predictions", options, name, ground)
        for name in ground.indices
    }
    for place, part in enumerate(grounds.analysis_parts(opened.report)):
        for task in tasks_of(part, opened.report, ground):
            found[f"{place}-{task.analysis}/{task.picture}"] = task
    return Standing(opened, ground, found)


def keep(cache: Path) -> None:
    """Writes default.npz from a build of report.yaml whose results are in ``cache``."""
    now = standing(cache)
    arrays: dict[str, NDArray[Any]] = {}
    facts = {}
    for name, task in now.tasks.items():
        entry = now.opened.store.get(task.key)
        if entry is None:
            raise SystemExit(f"{name} is not computed: build report.yaml first")
        arrays |= {f"{name}/{key}": _small(value) for key, value in entry.arrays.items()}
        facts[name] = {"numbers": entry.meta["numbers"], **_stands_on(task)}
    arrays["probabilities"] = probabilities(
        now.opened.dataset, now.opened.network, now.opened.store, lambda *_: None
    )
    arrays[_FACTS] = np.array(json.dumps(facts, sort_keys=True))
    np.savez_compressed(ARRAYS, allow_pickle=False, **arrays)


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Maps in half precision; short rows of numbers, which texts are made of, as they are."""
    if array.dtype == np.float32 and array.ndim > 1:
        return array.astype(np.float16)
    if array.dtype == np.int32:
        return array.astype(np.int16)
    return array


def _stands_on(task: Task) -> dict[str, Any]:
    """What of a task's key report.yaml decides; where it differs, the result is another's.

    That an analysis gives other numbers by now does not matter to how they are shown.
    """
    return {key: task.parts[key] for key in ("options", "seed")}


def fill(cache: Path) -> None:
    """Puts the stored results into ``cache`` under today's keys. Fails where they are outdated."""
    now = standing(cache)
    with np.load(ARRAYS) as stored:
        facts = json.loads(str(stored[_FACTS]))
        arrays = {name: stored[name] for name in stored.files if name != _FACTS}
    assert {name: _stands_on(task) for name, task in now.tasks.items()} == {
        name: {key: fact[key] for key in ("options", "seed")} for name, fact in facts.items()
    }, "report.yaml asks for other results: run python -m tests.golden --compute"
    for name, task in now.tasks.items():
        found = {
            key.removeprefix(f"{name}/"): _full(value)
            for key, value in arrays.items()
            if key.startswith(f"{name}/")
        }
        meta = {"numbers": facts[name]["numbers"], "parts": dict(task.parts)}
        now.opened.store.put(task.key, Entry(found, meta, {}))
    now.opened.store.put(
        now.probabilities_key, Entry({"probabilities": arrays["probabilities"]}, {}, {})
    )


def _full(array: NDArray[Any]) -> NDArray[Any]:
    wide = {"float16": np.float32, "int16": np.int32}.get(array.dtype.name, array.dtype)
    return array.astype(wide)


def build(folder: Path, *, pdf: bool = True) -> Path:
    """Builds the default report below ``folder`` from the stored results; returns its site."""
    fill(folder / "cache")
    outcome = pipeline.build(REPORT, out=folder / "site", cache=folder / "cache", pdf=pdf)
    assert outcome.published
    assert not outcome.computed, outcome.computed
    assert not outcome.failures, outcome.failures
    return outcome.site


def written(site: Path) -> dict[str, str]:
    """The pages that are kept whole, by file name, and one line for every other file."""
    texts = {f"{name.replace('/', '-')}.html": _text(site / f"{name}.html") for name in WHOLE}
    whole = {site / f"{name}.html" for name in WHOLE}
    lines = [
        f"{path.relative_to(site).as_posix()} {_line(path)}"
        for path in sorted(site.rglob("*"))
        if path.is_file() and path not in whole and not path.name.startswith(".")
    ]
    return {**texts, "files.txt": "\n".join(lines) + "\n"}


def _text(page: Path) -> str:
    """A page without what changes with every library and every line of the network's code."""
    text = page.read_text("utf-8")
    text = re.sub(r"(<dd><code>)[0-9a-f]{16}(</code>)", r"\1fingerprint\2", text)
    return re.sub(r"(<dt>[a-z-]+</dt><dd>)\d[^<]*(</dd>)", r"\1version\2", text)


def _line(path: Path) -> str:
    if path.suffix == ".png":
        return _picture(path)
    if path.suffix == ".html":
        return hashlib.sha256(_text(path).encode()).hexdigest()[:16]
    if path.suffix in (".csv", ".svg"):
        return f"{len(path.read_text('utf-8').splitlines())} lines"
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return " ".join(f"{name}{list(arrays[name].shape)}" for name in arrays.files)
    return "is there"  # fonts, PDFs, style and script have tests of their own


def _picture(path: Path) -> str:
    """Mode, size, and mean and spread of the gray levels in each cell of a 4×4 grid, as hex.

    Not a digest of its pixels: where a number lies between two levels processors may differ.
    """
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        gray = np.asarray(picture.convert("L"), float)
        head = f"{picture.mode} {picture.width}×{picture.height}"
    cells = [
        cell
        for row in np.array_split(gray, _GRID, axis=0)
        for cell in np.array_split(row, _GRID, axis=1)
        if cell.size
    ]
    levels = [round(value) for cell in cells for value in (cell.mean(), cell.std())]
    return f"{head} {bytes(levels).hex()}"


def differences(before: str, after: str) -> Iterator[str]:
    """Lines of files.txt that say something else; pictures may be a few gray levels off."""
    old, new = (dict(line.split(" ", 1) for line in text.splitlines()) for text in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield f"{name}: {'is gone' if name in old else 'is new'}"
        elif old[name] != new[name] and not _alike(old[name], new[name]):
            yield f"{name}: was {old[name]}, is {new[name]}"


def _alike(old: str, new: str) -> bool:
    head, _, levels = old.rpartition(" ")
    other, _, fresh = new.rpartition(" ")
    if not head or head != other or len(levels) != len(fresh) or "×" not in head:
        return False
    pairs = zip(bytes.fromhex(levels), bytes.fromhex(fresh), strict=True)
    return all(abs(a - b) <= _NEAR for a, b in pairs)
