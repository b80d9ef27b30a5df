"""How much LIME's weights change from seed to seed, by design and number of samples.

    python benchmarks/spread.py [--figure FILE]

Prints, for seven pictures, one of each class, the standard deviation of a weight over five seeds,
root mean square over the superpixels. What `fervis` shows as "spread" estimates the same from one
run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

SEEDS, PICTURES = 5, 7
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
    yield f"| design | samples | {names} | mean |"
    yield "| --- | ---: |" + " ---: |" * (PICTURES + 1)
    for design, samples in DESIGNS:
        found = spreads(design, samples)
        numbers = " | ".join(f"{value:.5f}" for value in (*found, np.mean(found)))
        yield f"| {'random, as lime' if design == 'lime' else design} | {samples} | {numbers} |"


FIGURE_SAMPLES = (128, 256, 384, 512, 768, 1024)


def figure(file: str) -> None:
    """The spread of both designs by samples, mean of the pictures, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for design, style, name in (
        ("lime", "s--", "random, as lime"),
        ("balanced", "o-", "balanced (folded-over Hadamard)"),
    ):
        means = [float(np.mean(spreads(design, samples))) for samples in FIGURE_SAMPLES]
        print(design, dict(zip(FIGURE_SAMPLES, means, strict=True)), flush=True)
        axis.plot(FIGURE_SAMPLES, means, style, label=name)
    axis.set(xlabel="samples", ylabel="standard deviation of a weight", ylim=(0, None))
    axis.set_xticks(FIGURE_SAMPLES)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    drawing.savefig(file, dpi=150)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--figure"]:
        figure(sys.argv[2])
    else:
        for each in table():
            print(each, flush=True)
