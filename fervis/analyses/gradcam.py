"""Grad-CAM: where in the picture a layer finds evidence for a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fervis.analyses._batches import in_company, network
from fervis.analyses._contract import Context, Result, Scope, Subjects
from fervis.analyses._target import TargetOptions, numbers, targets
from fervis.analyses._words import (
    explained,
    number,
    percent,
    picture,
    picture_panel,
    place_of,
    shape_of,
    target_name,
)
from fervis.draw import colour, overlay, png
from fervis.draw.figure import ColourBar, Fact, Figure, Panel
from fervis.errors import AnalysisError
from fervis.text import Message, Text, message

if TYPE_CHECKING:
    from torch import Tensor

    from fervis.model.classifier import Classifier

SCOPE: Scope = "image"
VERSION = 2
TITLE = message("Grad-CAM")
ANSWERS = message("Where in the picture does a layer find what speaks for the class?")
FORMULA = (
    r"L^k_{\text{Grad-CAM}} = \text{ReLU}\Bigl(\sum_c \alpha^k_c A^c\Bigr), \qquad "
    r"\alpha^k_c = \frac{1}{HW} \sum_{i,j} \frac{\partial\, y^k}{\partial A^c_{ij}}"
)
LIMITS = message(
    "It is as coarse as the layer: a map of 6×6 cells cannot separate an eye from an eyebrow. What "
    "speaks against the class is cut off. At an early layer it shows edges more than evidence."
)
PAPER = (
    "Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra: Grad-CAM (2017), "
    "https://arxiv.org/abs/1610.02391"
)
OPACITY = 0.45


class Options(TargetOptions):
    """Options of ``gradcam``."""

    layer: str | None = Field(
        None,
        description="a layer with a spatial output, such as `conv2.relu`; if left out, the "
        "last one",
    )

    def layers(self) -> tuple[str, ...]:
        """The layer, if one is named."""
        return () if self.layer is None else (self.layer,)


def compute(
    classifier: Classifier | None, subjects: Subjects, options: Options
) -> Sequence[Result]:
    """Grad-CAM of each picture at one layer (Selvaraju et al. 2017, eq. 1-2).

    Arrays: ``cam`` (H, W) ≥ 0, unscaled, at the picture's size; ``evidence`` (h, w) the weighted
    sum before the ReLU, signed; ``weights`` (channels,) the averaged gradients. Raises
    AnalysisError for an impossible target or a layer that does not lead to the class.
    """
    import torch
    from torch.nn import functional as F

    net = network(classifier)
    layer = options.layer or net.last_spatial.name
    size = subjects.images.shape[1:3]
    results: list[Result] = []
    for part in in_company(len(subjects.images)):
        inputs = net.to_input(subjects.images[part]).detach().requires_grad_(True)
        captured, logits = net.activations(inputs, [layer])
        maps = _spatial(captured[layer], layer)
        values = logits.detach().cpu().numpy()
        labels = None if subjects.labels is None else subjects.labels[part]
        chosen = targets(options.target, labels, values)
        score = logits.gather(1, torch.from_numpy(chosen).to(logits.device)[:, None]).sum()
        (gradients,) = torch.autograd.grad(score, maps, allow_unused=True)
        if gradients is None:
            raise AnalysisError(f"layer {layer!r} does not lead to the network's output")
        with torch.no_grad():
            weights = gradients.mean(dim=(2, 3))
            evidence = (weights[:, :, None, None] * maps).sum(dim=1)
            cams = F.interpolate(
                evidence.clamp(min=0)[:, None], size=size, mode="bilinear", align_corners=False
            )[:, 0]
        results += [
            Result(
                {"cam": cam, "evidence": raw, "weights": weight},
                {"layer": layer, **numbers(logit, target)},
            )
            for cam, raw, weight, logit, target in zip(
                _array(cams), _array(evidence), _array(weights), values, chosen, strict=True
            )
        ]
    return results[: len(subjects.images)]


def _spatial(activation: Tensor, layer: str) -> Tensor:
    if activation.ndim != 4:
        raise AnalysisError(
            f"layer {layer!r} has no spatial map (its output is "
            f"{shape_of(tuple(activation.shape[1:]))}); name a convolution, its "
            "activation or a pooling layer"
        )
    return activation


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def draw(result: Result, options: Options, context: Context) -> Figure:  # noqa: ARG001
    """Picture, overlay and map; the map is divided by its largest value."""
    cam, evidence = np.asarray(result.arrays["cam"]), np.asarray(result.arrays["evidence"])
    image = picture(context)
    height, width = cam.shape
    high = float(cam.max())
    scaled = colour.by_maximum(cam)
    target, layer = explained(result, context), str(result.numbers["layer"])
    resolution = shape_of(evidence.shape[::-1])
    maps = {name: colour.colourise(scaled, name) for name in colour.COLOUR_MAPS}
    overlays = {
        name: png.encode(overlay.blend(image, pixels, OPACITY) if high > 0 else image)
        for name, pixels in maps.items()
    }
    encoded = {name: png.encode(pixels) for name, pixels in maps.items()}
    name = target_name(result, context)
    alt, remarks = _evidence_words(cam, name, layer)
    laid_over = message("The picture with the Grad-CAM map for {target} laid over it.", target=name)
    return Figure(
        panels=(
            picture_panel(context),
            Panel(
                "overlay",
                "overlay",
                message("Grad-CAM over the picture"),
                laid_over,
                width,
                height,
                overlays["jet"],
                variants=overlays,
            ),
            Panel(
                "map",
                "map",
                message("Grad-CAM"),
                alt,
                width,
                height,
                encoded["jet"],
                colour_bar=ColourBar(0.0, 1.0 if high > 0 else 0.0, "jet"),
                variants=encoded,
            ),
        ),
        caption=message(
            "Grad-CAM for {target}; largest value {high}.", target=target, high=number(high)
        ),
        reading=_reading(layer, resolution, f"{width}×{height}"),
        facts=(
            Fact(
                message("Method"),
                message(
                    "Grad-CAM: maps weighted by their averaged gradients, "
                    "summed, negative values cut off"
                ),
            ),
            Fact(message("Class"), target),
            Fact(message("Layer"), layer),
            Fact(
                message("Resolution"),
                _enlarged(resolution, f"{width}×{height}"),
            ),
            Fact(
                message("Scaling"),
                message("divided by the largest value, {high}", high=number(high)),
            ),
        ),
        remarks=remarks,
        data=dict(result.arrays),
    )


def _reading(layer: str, cells: str, pixels: str) -> Message:
    if cells == pixels:
        return message(
            "Maps of layer {layer}, which has a cell for every pixel, each divided by its largest "
            "value.",
            layer=layer,
        )
    return message(
        "Maps of layer {layer}, which has {resolution} cells, enlarged bilinearly and each "
        "divided by its largest value.",
        layer=layer,
        resolution=cells,
    )


def _enlarged(cells: str, pixels: str) -> Message:
    if cells == pixels:
        return message("{cells} cells", cells=cells)
    return message("{cells} cells, enlarged to {pixels}", cells=cells, pixels=pixels)


def _evidence_words(
    cam: np.ndarray, target: Text, layer: str
) -> tuple[Message, tuple[Message, ...]]:
    if cam.max() <= 0:
        none = message(
            "Layer {layer} finds no positive evidence for {target} in this picture.",
            layer=layer,
            target=target,
        )
        return none, (none,)
    above = float((cam > 0.5 * cam.max()).mean())
    return message(
        "Grad-CAM for {target} at layer {layer}: the evidence is strongest {place}; {share} of the "
        "picture is above half of the maximum.",
        target=target,
        layer=layer,
        place=place_of(cam),
        share=percent(above),
    ), ()
