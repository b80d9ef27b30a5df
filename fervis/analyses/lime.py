"""LIME: which parts of the picture speak for a class and which against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.analyses import _masks, _superpixels, _surrogate
from fervis.analyses._batches import network
from fervis.analyses._contract import Context, Result, Scope, Subjects
from fervis.analyses._target import TargetOptions, targets
from fervis.analyses._words import explained, number, picture_panel, target_name
from fervis.draw.figure import Fact, Figure
from fervis.model.mosaics import Mosaics
from fervis.text import Message, message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier

SCOPE: Scope = "image"
VERSION = 4
TITLE = message("LIME")
ANSWERS = message(
    "Which parts of the picture speak for the class and which against it, when parts are hidden?"
)
FORMULA = (
    r"\hat w = \arg\min_w \sum_z \pi(z) \bigl(p_k(z) - w_0 - w^\top z\bigr)^2 + \|w\|^2, \qquad "
    r"\pi(z) = \sqrt{e^{-d(z)^2 / 0.25^2}}, \quad d(z) = 1 - \sqrt{|z| / K}"
)
LIMITS = message(
    "It depends on how the picture is cut into superpixels, and a straight line is a rough "
    "likeness of a network: mind the local R². What hides a part is its mean gray, so a part "
    "without detail can never matter."
)
PAPER = "Ribeiro, Singh, Guestrin: Why Should I Trust You? (2016), https://arxiv.org/abs/1602.04938"


class Options(TargetOptions):
    """Options of ``lime``."""

    samples: int = Field(
        512, ge=30, le=100_000, description="how often the picture is shown with parts hidden"
    )
    segments: int = Field(
        64, ge=2, le=2000, description="about how many superpixels the picture is cut into"
    )
    design: Literal["balanced", "lime"] = Field(
        "balanced",
        description="which parts are hidden together: `balanced` (a folded-over "
        "Hadamard design, steadier) or `lime` (at random, as in the lime package)",
    )
    features: int = Field(
        8, ge=1, le=2000, description="how many superpixels are shown, those of largest weight"
    )

    def numbers_decided_by(self) -> dict[str, object]:
        """All but how many superpixels are shown."""
        return self.model_dump(mode="json", exclude={"images", "features"})


@dataclass(frozen=True)
class _Plan:
    """One picture, its parts shown and hidden, and the masks of each seed in turn."""

    mosaics: Mosaics
    masks: tuple[NDArray[np.uint8], ...]


def beforehand(images: NDArray[np.uint8], options: Options) -> Sequence[NDArray[np.int64]]:
    """The superpixels of each picture: (H, W) with labels 0…K-1."""
    return [_superpixels.segments_of(image, options.segments) for image in images]


def compute(
    classifier: Classifier | None, subjects: Subjects, options: Options
) -> Sequence[Result]:
    """LIME of each picture (Ribeiro et al. 2016, algorithm 1).

    Arrays: ``weights`` (K,), ``segments`` (H, W) with labels 0…K-1, ``masks`` (samples, K),
    ``responses`` (samples,) the probabilities of the class, ``seed_weights`` (seeds, K) fitted to
    the masks of each of three to eight seeds alone. Numbers: local ``r2``, ``intercept``,
    ``seeds`` and
    ``spread``: the standard deviation of a weight from seed to seed, scaled to all samples.
    """
    net = network(classifier)
    parts = subjects.beforehand or beforehand(subjects.images, options)
    plans = [
        _plan(image, segments, rng, options)
        for image, segments, rng in zip(subjects.images, parts, subjects.rngs, strict=True)
    ]
    answers = [net.mosaic_probabilities(plan.mosaics, sampling=True) for plan in plans]
    whole = net.probabilities(subjects.images)
    chosen = targets(options.target, subjects.labels, whole)
    fit = _surrogate.ridge if options.design == "balanced" else _surrogate.by_package()
    results = []
    for plan, answer, sure, target in zip(plans, answers, whole, chosen, strict=True):
        label, mosaics = int(target), plan.mosaics
        fits = [
            fit(replace(mosaics, masks=mask), part, label)
            for mask, part in [
                (mosaics.masks, answer),
                *zip(plan.masks, np.split(answer, _ends(plan.masks)), strict=True),
            ]
        ]
        best, each = fits[0], np.stack([one.weights for one in fits[1:]])
        results.append(
            Result(
                {
                    "weights": best.weights.astype(np.float32),
                    "segments": mosaics.parts.astype(np.int32),
                    "masks": mosaics.masks,
                    "responses": answer[:, label].astype(np.float32),
                    "seed_weights": each.astype(np.float32),
                },
                {
                    "target": label,
                    "predicted": int(sure.argmax()),
                    "probability": float(sure[label]),
                    "r2": best.r2,
                    "intercept": best.intercept,
                    "seeds": len(each),
                    "spread": float(np.sqrt(each.var(axis=0, ddof=1).mean() / len(each))),
                },
            )
        )
    return results


def _ends(parts: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    return np.cumsum([len(part) for part in parts])[:-1]


def _plan(
    image: NDArray[np.uint8],
    segments: NDArray[np.int64],
    rng: np.random.Generator,
    options: Options,
) -> _Plan:
    parts = int(segments.max()) + 1
    if options.design == "balanced":
        design, shares = _masks.balanced_masks, _masks.balanced_shares(options.samples, parts)
    else:
        design, shares = _masks.random_masks, _masks.equal_shares(options.samples)
    masks = tuple(
        design(share, parts, seed)
        for share, seed in zip(shares, rng.spawn(len(shares)), strict=True)
    )
    hidden = _superpixels.without_detail(image, segments)
    return _Plan(Mosaics(image, hidden, segments, np.concatenate(masks)), masks)


def draw(result: Result, options: Options, context: Context) -> Figure:
    """Picture | superpixels for and against | only what speaks for the class."""
    weights = np.asarray(result.arrays["weights"])
    samples = len(np.asarray(result.arrays["masks"]))
    target = explained(result, context)
    r2 = f"{result.numbers['r2']:.2f}"
    numbers = {
        "target": target,
        "samples": samples,
        "superpixels": len(weights),
        "design": _design(options),
        "r2": r2,
        "spread": number(float(result.numbers["spread"] or 0.0)),
        "seeds": result.numbers["seeds"],
        "largest": number(float(np.abs(weights).max())),
        "shown": min(options.features, len(weights)),
    }
    panels, remarks = _superpixels.panels(
        result, options.features, target_name(result, context), context
    )
    return Figure(
        panels=(picture_panel(context), *panels),
        caption=message(
            "LIME for {target}: the {shown} largest of {superpixels} superpixels; local R² {r2}; "
            "weights up to {largest}, spread {spread}.",
            **numbers,
        ),
        reading=message(
            "Green and outlined: what raises the probability of the class; red and striped: what "
            "lowers it. {samples} masked pictures each, {design}. The spread is the standard "
            "deviation of a weight over {seeds} seeds.",
            samples=samples,
            design=numbers["design"],
            seeds=numbers["seeds"],
        ),
        facts=(
            Fact(
                message("Method"),
                message(
                    "LIME through the lime package: hidden superpixels take "
                    "their mean, kernel width 0.25, ridge 1"
                )
                if options.design == "lime"
                else message(
                    "LIME: hidden superpixels take their mean, kernel width 0.25, ridge 1"
                ),
            ),
            Fact(message("Class"), target),
            Fact(message("Samples"), message("{samples}, {design}", **numbers)),
            Fact(message("Superpixels"), message("{superpixels} by SLIC", **numbers)),
            Fact(message("Local R²"), r2),
            Fact(
                message("Spread"),
                message("{spread} (standard deviation of a weight over {seeds} seeds)", **numbers),
            ),
            Fact(message("Seed"), context.seed),
        ),
        remarks=remarks,
        data=dict(result.arrays),
    )


def _design(options: Options) -> Message:
    if options.design == "balanced":
        return message("balanced design (folded-over Hadamard)")
    return message("random design")
