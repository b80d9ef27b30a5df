"""Saliency: how strongly each pixel would change the score of a class."""

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
    target_name,
)
from fervis.draw import colour, overlay, png
from fervis.draw.figure import ColourBar, Fact, Figure, Panel
from fervis.text import message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "image"
VERSION = 2
TITLE = message("Saliency map")
ANSWERS = message("Which pixels would change the score of the class most if they changed a little?")
FORMULA = r"S_{ij} = \max_c \left| \frac{\partial\, y^k}{\partial\, x_{cij}} \right|"
LIMITS = message(
    "It looks at very small changes only, is noisy, and does not say whether a pixel speaks for or "
    "against the class. A bright pixel is sensitive; it need not be important."
)
PAPER = (
    "Simonyan, Vedaldi, Zisserman: Deep Inside Convolutional Networks (2013), "
    "https://arxiv.org/abs/1312.6034"
)


class Options(TargetOptions):
    """Options of ``saliency``."""

    quantile: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the pixels, the least salient ones, that the third panel covers",
    )

    def numbers_decided_by(self) -> dict[str, object]:
        """Only the target; the quantile decides what is covered when it is drawn."""
        return self.model_dump(mode="json", include={"target"})


def compute(
    classifier: Classifier | None, subjects: Subjects, options: Options
) -> Sequence[Result]:
    """Saliency of each picture (Simonyan et al. 2013, section 3.1).

    Arrays: ``gradient`` (C, H, W) of the logit by the network's input, signed; ``saliency`` (H, W)
    its absolute value, maximum over channels. Raises AnalysisError for an impossible target.
    """
    import torch

    net = network(classifier)
    results: list[Result] = []
    for part in in_company(len(subjects.images)):
        inputs = net.to_input(subjects.images[part]).detach().requires_grad_(True)
        logits = net.logits(inputs)
        values = logits.detach().cpu().numpy()
        labels = None if subjects.labels is None else subjects.labels[part]
        chosen = targets(options.target, labels, values)
        score = logits.gather(1, torch.from_numpy(chosen).to(logits.device)[:, None]).sum()
        gradients = torch.autograd.grad(score, inputs)[0].float().cpu().numpy()
        results += [
            Result(
                {"gradient": gradient, "saliency": np.abs(gradient).max(axis=0)},
                numbers(logit, target),
            )
            for gradient, logit, target in zip(gradients, values, chosen, strict=True)
        ]
    return results[: len(subjects.images)]


def draw(result: Result, options: Options, context: Context) -> Figure:
    """Picture, map with colour bar, and the picture with what is hardly looked at covered."""
    saliency = np.asarray(result.arrays["saliency"])
    image = picture(context)
    high = float(saliency.max())
    scaled = colour.by_maximum(saliency)
    hidden = overlay.fit(saliency < np.quantile(saliency, options.quantile), image.shape[:2])
    covered = float(hidden.mean())
    target, place = explained(result, context), place_of(saliency)
    height, width = saliency.shape
    maps = {name: png.encode(colour.colourise(scaled, name)) for name in colour.COLOUR_MAPS}
    return Figure(
        panels=(
            picture_panel(context),
            Panel(
                "map",
                "map",
                message("Saliency"),
                message(
                    "Saliency map for {target}: strongest {place}; half of its total lies in "
                    "{share} of the pixels.",
                    target=target_name(result, context),
                    place=place,
                    share=percent(_share_of_half(saliency)),
                ),
                width,
                height,
                maps["jet"],
                colour_bar=ColourBar(0.0, high, "jet"),
                variants=maps,
            ),
            Panel(
                "covered",
                "overlay",
                message("Least salient part covered"),
                message(
                    "The picture with its {covered} least salient pixels covered by its mean "
                    "gray; what is left lies mostly {place}.",
                    covered=percent(covered),
                    place=place_of((~hidden).astype(np.float32)),
                ),
                image.shape[1],
                image.shape[0],
                png.encode(overlay.cover(image, hidden)),
            ),
        ),
        caption=message(
            "Saliency for {target}; largest value {high}.", target=target, high=number(high)
        ),
        reading=message(
            "Colours run from 0 to the largest value of each map. On the right the least salient "
            "{covered} of the pixels are covered.",
            covered=percent(covered),
        ),
        facts=(
            Fact(
                message("Method"),
                message(
                    "gradient of the logit by the input, absolute value, largest over the channels"
                ),
            ),
            Fact(message("Class"), target),
            Fact(message("Resolution"), f"{width}×{height}"),
            Fact(
                message("Scaling"),
                message("divided by the largest value, {high}", high=number(high)),
            ),
            Fact(message("Covered"), percent(covered)),
        ),
        remarks=()
        if high > 0
        else (
            message(
                "The gradient is zero everywhere: no small change of this picture would change "
                "the score."
            ),
        ),
        data=dict(result.arrays),
    )


def _share_of_half(saliency: np.ndarray) -> float:
    """Share of the pixels, the most salient first, that holds half of the map's total."""
    ordered = np.sort(saliency, axis=None)[::-1].cumsum()
    if ordered[-1] <= 0:
        return 1.0
    return float((np.searchsorted(ordered, ordered[-1] / 2) + 1) / saliency.size)
