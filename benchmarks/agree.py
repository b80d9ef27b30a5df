"""Do both sides of the benchmark get the same numbers? python benchmarks/agree.py prints a table.

Same network, pictures, masks and starts as in the rows of bench.py; differences are the largest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import peers
import torch
from work import classifier, pictures

PICTURES, FILTERS = 7, 32
LAYERS = {"conv2": 3, "conv3": 7}


def computed(side: str, name: str, images: np.ndarray, labels: np.ndarray, **options: Any) -> Any:
    """fervis' results of one analysis."""
    from fervis.analyses import REGISTRY, Subjects

    rngs = tuple(np.random.default_rng([0, number]) for number in range(len(images)))
    module = REGISTRY[name]
    subjects = Subjects(images[..., None], labels, rngs)
    return module.compute(classifier(side), subjects, module.Options.model_validate(options))


def lime(side: str) -> float:
    """Of a weight, from the lime package's own loop over the same masks."""
    from lime.lime_image import LimeImageExplainer

    class Dictated:
        """A random state that deals out given masks."""

        def __init__(self, masks: np.ndarray) -> None:
            self.masks = masks.astype(int)

        def randint(self, _low: int, _high: int, size: int | None = None) -> Any:
            return self.masks.ravel() if size else 0

    images, labels = pictures(PICTURES)
    found = computed(side, "lime", images, labels, samples=1000, design="lime")
    net, gaps = peers.network(), []
    for image, label, result in zip(images, labels, found, strict=True):
        explainer = LimeImageExplainer(feature_selection="none", random_state=0)
        explainer.random_state = Dictated(result.arrays["masks"])
        theirs = explainer.explain_instance(
            image,
            lambda batch: peers.predict(net, batch[..., 0]),
            labels=(int(label),),
            top_labels=None,
            num_samples=1000,
            batch_size=128,
            random_seed=0,
            segmentation_fn=lambda _, known=result: known.arrays["segments"],
        )
        weights = dict(theirs.local_exp[int(label)])
        own = result.arrays["weights"]
        gaps.append(max(abs(weights[k] - own[k]) for k in range(len(own))))
    return float(max(gaps))


def filters(layer: str) -> list[str]:
    """Of a filter's objective at the end, from one filter after the other: a cell a precision.

    Where filters end near zero the share of the way they came says more than the share of the end:
    a loop in float64 ends as far from the one in float32.
    """
    images, labels = pictures(1)
    net, rng = peers.network(), np.random.default_rng([0, 0])
    noise = rng.normal(0.0, 0.1, (1, 48, 48)).astype(np.float32)
    start = peers.normalised(np.full((1, 48, 48), 128, np.uint8))[0].numpy() + noise
    module, ends = net.features[LAYERS[layer]], []
    for channel, picture in enumerate(peers.filters(net, module, FILTERS, start=start)):
        with torch.no_grad():
            values = net.features[: LAYERS[layer] + 1](torch.from_numpy(picture)[None, None])
        ends.append(float(values[0, channel].mean()))
    theirs, cells = np.array(ends), []
    for side in ("float32", "auto"):
        (found,) = computed(side, "filters", images, labels, layer=layer, first=FILTERS, rate=0.1)
        whole = found.arrays["rates"] == np.float32(0.1)  # others climbed again by shorter steps
        gap = np.abs(found.arrays["end"] - theirs)[whole]
        end, way = np.abs(theirs)[whole], np.abs(theirs - found.arrays["start"])[whole]
        cells.append(
            f"{np.median(gap / end):.2%}, {(gap / end).max():.1%}, {(gap / way).max():.2%}"
        )
    return cells


def predictions() -> float:
    """Of a probability, from the network as it is."""
    images, _ = pictures(3589)
    found = classifier("float32").probabilities(images[..., None])
    return float(np.abs(found - peers.predict(peers.network(), images)).max())


def maps(name: str) -> float:
    """Of a map, relative to its largest value, from captum."""
    images, labels = pictures(PICTURES)
    net = peers.network()
    if name == "saliency":
        theirs = peers.saliency(net, images, labels)
        own = [r.arrays["saliency"] for r in computed("float32", name, images, labels)]
    else:
        theirs = peers.gradcam(net, net.features[5], images, labels)
        found = computed("float32", name, images, labels, layer="conv2.relu")
        own = [result.arrays["cam"] for result in found]
    return max(
        float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(own, theirs, strict=True)
    )


def table() -> Iterator[str]:
    """The table in Markdown."""
    yield "| numbers | largest difference, fp32 | auto |"
    yield "| --- | ---: | ---: |"
    yield f"| LIME, a weight (of a probability) | {lime('float32'):.1e} | {lime('auto'):.1e} |"
    for layer in LAYERS:
        title = f"gradient ascent of {layer}: median, largest, largest as share of the climb"
        yield f"| {title} | {' | '.join(filters(layer))} |"
    yield f"| prediction, a probability | {predictions():.1e} | the same |"
    for name, title in (("saliency", "saliency"), ("gradcam", "Grad-CAM")):
        yield f"| {title}, relative to the map's largest value | {maps(name):.1e} | the same |"


if __name__ == "__main__":
    for each in table():
        print(each, flush=True)
