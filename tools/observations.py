"""What the ground truth says of the default report's maps: the figures behind its observations.

    python tools/observations.py [report.yaml]

For every picture and every map: which share of it lies on each region of the face and on the part
that moved (or changed), beside the share of the picture's area that this is. A map that follows
nothing has both alike.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fervis.engine import ground as grounds
from fervis.engine.plan import tasks_of
from fervis.survey import open_report

MAPS = {"saliency": "saliency", "gradcam": "cam"}
MOVED = 0.02  # of the distance between the eyes
CHANGED = 0.08  # of white


def main() -> None:
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "report.yaml")
    opened = open_report(file)
    if opened.dataset.truth is None:
        sys.exit("this data has no ground truth")
    truth = opened.dataset.truth()
    ground = grounds.stand(
        opened.report, opened.dataset, opened.network, opened.cache, opened.store, lambda *_: None
    )
    names = [text.in_language("en") for text in truth.region_names]
    for part in grounds.analysis_parts(opened.report):
        for task in tasks_of(part, opened.report, ground):
            if task.index is None:
                continue
            entry = opened.store.get(task.key)
            if entry is None:
                sys.exit("build the report first")
            values = weights_of(task.analysis, entry.arrays)
            if values is None:
                continue
            here = {name: truth.regions[task.index] == number for number, name in enumerate(names)}
            here["(moved)"] = truth.motion[task.index] > MOVED
            here["(changed)"] = truth.change[task.index] > CHANGED
            shares = {
                name: (values[mask].sum() / max(values.sum(), 1e-12), mask.mean())
                for name, mask in here.items()
                if mask.any()
            }
            best = sorted(shares.items(), key=lambda item: -item[1][0])
            print(
                f"{task.analysis} picture {task.picture} (index {task.index}): "
                + ", ".join(
                    f"{name} {share:.0%} on {area:.0%}"
                    for name, (share, area) in best
                    if share >= 0.03
                ),
                f"| {dict(entry.meta['numbers'])}",
            )


def weights_of(analysis: str, arrays) -> np.ndarray | None:
    """A map (H, W) ≥ 0 of how much each pixel counts."""
    if analysis in MAPS:
        return np.maximum(np.asarray(arrays[MAPS[analysis]]), 0)
    if analysis == "lime":
        segments, weights = np.asarray(arrays["segments"]), np.asarray(arrays["weights"])
        return np.maximum(weights, 0)[segments]
    return None


if __name__ == "__main__":
    main()
