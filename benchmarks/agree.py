"""Do both sides of the benchmark get the same numbers? python benchmarks/agree.py prints a table.

Same network, pictures, masks and starts as in the rows of bench.py; differences are the
largest where nothing else is said.
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
    """How many filters end within 1 % of one filter after the other, a cell a precision.

    Sixty-four steps of full length make much of a last digit, above all behind pooling. So the
    last two cells say how far the loop in float32 is from the very same loop, in float64 and with
    the network's weights laid out channels last: the same sums in another order.
    """
    images, labels = pictures(1)
    net, rng = peers.network(), np.random.default_rng([0, 0])
    noise = rng.normal(0.0, 0.1, (1, 48, 48)).astype(np.float32)
    start = peers.normalised(np.full((1, 48, 48), 128, np.uint8))[0].numpy() + noise
    theirs = loop(net, layer, start)
    every = np.ones(FILTERS, bool)
    cells = []
    for side in ("float32", "auto"):
        (found,) = computed(side, "filters", images, labels, layer=layer, first=FILTERS, rate=0.1)
        same_way = found.arrays["rates"] == np.float32(0.1)  # others climbed by shorter steps
        cells.append(gaps(found.arrays["end"], theirs, same_way))
    exact = loop(peers.network().double(), layer, start.astype(np.float64))
    turned = loop(peers.network().to(memory_format=torch.channels_last), layer, start)
    return [*cells, gaps(exact, theirs, every), gaps(turned, theirs, every)]


def loop(net: torch.nn.Module, layer: str, start: np.ndarray) -> np.ndarray:
    """Objectives at the end of one filter after the other, in the precision of ``start``."""
    place, ends = LAYERS[layer], []
    for channel, picture in enumerate(
        peers.filters(net, net.features[place], FILTERS, start=start)
    ):
        with torch.no_grad():
            values = net.features[: place + 1](torch.from_numpy(picture)[None, None])
        ends.append(float(values[0, channel].mean()))
    return np.array(ends)


def gaps(ends: np.ndarray, theirs: np.ndarray, same_way: np.ndarray) -> str:
    """How far some filters' ends are from ``theirs``, relative to those."""
    found = (np.abs(ends - theirs) / np.abs(theirs))[same_way]
    near = int((found <= 0.01).sum())
    return (
        f"{near} of {len(found)} within 1 %, median {np.median(found):.2%}, most {found.max():.1%}"
    )


def predictions() -> float:
    """Of a probability, from the network as it is."""
    images, _ = pictures(3589)
    found = classifier("float32").probabilities(images[..., None])
    return float(np.abs(found - peers.predict(peers.network(), images)).max())


def maps(name: str) -> str:
    """Of a map, relative to its largest value, from captum: the median picture and the worst.

    Where two values in a pooling window are equal but for rounding, either may win, and the
    gradient has no one value.
    """
    images, labels = pictures(PICTURES)
    net = peers.network()
    if name == "saliency":
        theirs = peers.saliency(net, images, labels)
        own = [r.arrays["saliency"] for r in computed("float32", name, images, labels)]
    else:
        theirs = peers.gradcam(net, net.features[5], images, labels)
        found = computed("float32", name, images, labels, layer="conv2.relu")
        own = [result.arrays["cam"] for result in found]
    far = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(own, theirs, strict=True)]
    return f"median picture {np.median(far):.1e}, worst {max(far):.1e}"


def table() -> Iterator[str]:
    """The table in Markdown."""
    yield "| numbers | fp32 | auto | the usual loop in float64 | the usual loop, channels last |"
    yield "| --- | --- | --- | --- | --- |"
    yield (
        "| LIME, a weight (of a probability) "
        f"| {lime('float32'):.1e} | {lime('auto'):.1e} | — | — |"
    )
    for layer in LAYERS:
        yield f"| gradient ascent of {layer}, end | {' | '.join(filters(layer))} |"
    yield f"| prediction, a probability | {predictions():.1e} | the same | — | — |"
    for name, title in (("saliency", "saliency"), ("gradcam", "Grad-CAM")):
        yield f"| {title}, of the map's largest value | {maps(name)} | the same | — | — |"


if __name__ == "__main__":
    for each in table():
        print(each, flush=True)
