"""The homework as one does it with the usual tools: captum, lime, loops, matplotlib, WeasyPrint.

Every function does what its fervis counterpart does, on the same network and the same pictures.
As a program it makes the whole report: python benchmarks/peers.py OUT
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

MEAN, STD = 0.5077, 0.2550


def network() -> nn.Module:
    """The default network with its weights, as a plain module in eval mode."""
    from safetensors.torch import load_file

    from fervis.model.default import ExpressionNet
    from fervis.model.defaults import WEIGHTS

    net = ExpressionNet()
    net.load_state_dict(load_file(WEIGHTS))
    return net.eval()


def prepared(net: nn.Module, how: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """``net`` as it is ("eager") or as frozen TorchScript."""
    example = torch.zeros(128, 1, 48, 48)
    with torch.no_grad():
        if how == "frozen":
            script = torch.jit.optimize_for_inference(torch.jit.trace(net, example))
            for _ in range(3):
                script(example)
            return script
    return net


def normalised(images: np.ndarray) -> torch.Tensor:
    """images (N, H, W) uint8 → (N, 1, H, W) float32."""
    return torch.from_numpy((images.astype(np.float32) / 255 - MEAN) / STD)[:, None]


def predict(
    net: Callable[[torch.Tensor], torch.Tensor], images: np.ndarray, batch: int = 128
) -> np.ndarray:
    with torch.no_grad():
        return torch.cat([
            net(normalised(images[start : start + batch])).softmax(1)
            for start in range(0, len(images), batch)
        ]).numpy()  # fmt: skip


def saliency(net: nn.Module, images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    from captum.attr import Saliency

    method = Saliency(net)
    return [
        method.attribute(normalised(image[None]).requires_grad_(), target=int(label))[0, 0]
        .detach().numpy()
        for image, label in zip(images, labels, strict=True)
    ]  # fmt: skip


def gradcam(
    net: nn.Module, layer: nn.Module, images: np.ndarray, labels: np.ndarray
) -> list[np.ndarray]:
    from captum.attr import LayerAttribution, LayerGradCam

    method = LayerGradCam(net, layer)
    maps = []
    for image, label in zip(images, labels, strict=True):
        found = method.attribute(normalised(image[None]), int(label), relu_attributions=True)
        found = LayerAttribution.interpolate(found, image.shape, interpolate_mode="bilinear")
        maps.append(found[0, 0].detach().numpy())
    return maps


def filters(
    net: nn.Module,
    layer: nn.Module,
    count: int,
    steps: int = 64,
    rate: float = 0.1,
    start: np.ndarray | None = None,
) -> list[np.ndarray]:
    """One filter at a time through the whole network, from ``start`` (1, 48, 48) or noise."""
    seen = {}
    hook = layer.register_forward_hook(lambda _m, _i, output: seen.update(output=output))
    pictures = []
    for channel in range(count):
        torch.manual_seed(0)
        noise = torch.randn(1, 1, 48, 48) * 0.1
        picture = noise if start is None else torch.from_numpy(start)[None]
        for _ in range(steps):
            picture.requires_grad_()
            net(picture)
            (slope,) = torch.autograd.grad(seen["output"][:, channel].mean(), picture)
            picture = picture.detach() + rate * slope / (slope.square().mean().sqrt() + 1e-8)
        pictures.append(picture[0, 0].numpy())
    hook.remove()
    return pictures


def activations(net: nn.Module, layer: nn.Module, image: np.ndarray, count: int) -> np.ndarray:
    seen = {}
    hook = layer.register_forward_hook(lambda _m, _i, output: seen.update(output=output))
    with torch.no_grad():
        net(normalised(image[None]))
    hook.remove()
    return seen["output"][0, :count].numpy()


def lime(net: nn.Module, images: np.ndarray, samples: int = 1000, seed: int = 0) -> list:
    from lime.lime_image import LimeImageExplainer
    from skimage.segmentation import slic

    def segments(image: np.ndarray) -> np.ndarray:
        return slic(image[..., 0] / 255, n_segments=64, compactness=0.1, channel_axis=None,
                    start_label=0)  # fmt: skip

    def probabilities(pictures: np.ndarray) -> np.ndarray:
        return predict(net, pictures[..., 0])

    explainer = LimeImageExplainer(random_state=seed, feature_selection="none")
    return [
        explainer.explain_instance(image, probabilities, top_labels=7, num_samples=samples,
                                   batch_size=128, segmentation_fn=segments, random_seed=seed)
        for image in images
    ]  # fmt: skip


def report(out: Path) -> None:
    """The four questions as one PDF."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn
    from skimage.segmentation import mark_boundaries
    from sklearn.metrics import confusion_matrix
    from weasyprint import HTML

    from fervis.data.faces import shipped

    out.mkdir(parents=True, exist_ok=True)
    faces, net = shipped.load("test"), network()
    chosen = [int(np.flatnonzero(faces.labels == label)[3]) for label in range(7)]
    images, labels = faces.images[chosen], faces.labels[chosen]
    names: list[Path] = []

    def save(figure) -> None:
        names.append(out / f"{len(names)}.png")
        figure.savefig(names[-1], dpi=150)
        plt.close(figure)

    def row(*pictures) -> None:
        figure, axes = plt.subplots(1, len(pictures), figsize=(3 * len(pictures), 3))
        for axis, (picture, colours) in zip(axes, pictures, strict=True):
            axis.imshow(picture, cmap=colours)
        save(figure)

    def grid(pictures) -> None:
        figure, axes = plt.subplots(4, 8, figsize=(12, 6))
        for axis, picture in zip(axes.flat, pictures, strict=True):
            axis.imshow(picture, cmap="gray")
            axis.axis("off")
        save(figure)

    for image, found in zip(images, saliency(net, images, labels), strict=True):
        covered = np.where(found < np.median(found), image.mean(), image)
        row((image, "gray"), (found, "jet"), (covered, "gray"))
    for layer in (net.features[3], net.features[7]):
        grid(filters(net, layer, 32))
        grid(activations(net, layer, images[4], 32))
    for image, found in zip(images, lime(net, images), strict=True):
        picture, mask = found.get_image_and_mask(
            found.top_labels[0], positive_only=False, num_features=8, hide_rest=False
        )
        row((image, "gray"), (mark_boundaries(picture / 255.0, mask), None))
    guesses = predict(net, faces.images).argmax(1)
    figure, axis = plt.subplots(figsize=(7, 6))
    seaborn.heatmap(confusion_matrix(faces.labels, guesses, normalize="true"), annot=True, ax=axis)
    save(figure)
    for image, found in zip(images, gradcam(net, net.features[5], images, labels), strict=True):
        row((image, "gray"), (found, "jet"))
    page = "".join(f"<h2>{name.stem}</h2><img style='width:100%' src='{name.as_uri()}'>"
                   for name in names)  # fmt: skip
    HTML(string=page).write_pdf(out / "report.pdf")


if __name__ == "__main__":
    report(Path(sys.argv[1]))
