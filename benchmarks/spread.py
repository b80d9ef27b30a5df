"""How much LIME's weights change from seed to seed, by design and number of samples.

    python benchmarks/spread.py

Prints, for three pictures, the standard deviation of a weight over five seeds, root mean square
over the superpixels. What `fervis` shows as "spread" estimates the same from one run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SEEDS, PICTURES = 5, 3
DESIGNS = (("lime", 1000), ("balanced", 256), ("balanced", 384), ("balanced", 512))


def spreads(design: str, samples: int) -> list[float]:
    """One number a picture."""
    from work import classifier, pictures

    from fervis.analyses import REGISTRY, Subjects

    lime, net = REGISTRY["lime"], classifier("auto")
    options = lime.Options.model_validate({"design": design, "samples": samples})
    images, labels = pictures(PICTURES)
    weights = []
    for seed in range(SEEDS):
        rngs = tuple(np.random.default_rng([seed, place]) for place in range(PICTURES))
        found = lime.compute(net, Subjects(images[..., None], labels, rngs), options)
        weights.append([result.arrays["weights"] for result in found])
    return [
        float(np.sqrt(np.stack([row[place] for row in weights]).var(axis=0, ddof=1).mean()))
        for place in range(PICTURES)
    ]


def table() -> Iterator[str]:
    """The table in Markdown."""
    names = " | ".join(f"picture {place + 1}" for place in range(PICTURES))
    yield f"| design | samples | {names} |"
    yield "| --- | ---: |" + " ---: |" * PICTURES
    for design, samples in DESIGNS:
        numbers = " | ".join(f"{value:.5f}" for value in spreads(design, samples))
        yield f"| {'random, as lime' if design == 'lime' else design} | {samples} | {numbers} |"


if __name__ == "__main__":
    for each in table():
        print(each, flush=True)
