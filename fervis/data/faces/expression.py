"""Seven expressions as weights of face units (ARKit's names, shapes by Mika Suominen).

Each class has variants, as people do: a weight 1 is the unit's full motion. Disgust is told from
anger by the nose and the upper lip, with brows that hardly sink; fear from surprise by brows drawn
together and a mouth stretched sideways.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fervis.data.faces import assets
from fervis.data.faces.assets import Floats

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
NEUTRAL = CLASSES.index("neutral")


def _mix(text: str) -> Mapping[str, float]:
    """Units and weights from "browDown 1.5, jawOpen 0.2"."""
    pairs = (item.split() for item in text.split(","))
    return {unit: float(weight) for unit, weight in pairs}


VARIANTS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "angry": (
        _mix(
            "browDown 1.5, noseSneer 0.45, eyeWide 0.45, mouthPress 1, mouthRollUpper 0.5, "
            "mouthRollLower 0.5, mouthFrown 0.6, jawForward 0.6"
        ),
        _mix(
            "browDown 1.45, noseSneer 0.7, eyeSquint 0.3, eyeWide 0.25, jawOpen 0.16, "
            "mouthUpperUp 0.55, mouthLowerDown 1.1, mouthStretch 0.35, mouthFrown 0.3, "
            "jawForward 0.5"
        ),
        _mix(
            "browDown 1.4, noseSneer 0.7, eyeWide 0.3, jawOpen 0.6, mouthUpperUp 0.6, "
            "mouthLowerDown 0.9, mouthStretch 0.35, cheekSquint 0.3"
        ),
    ),
    "disgust": (
        _mix(
            "noseSneer 1.7, mouthUpperUp 1.5, browDown 0.2, browInnerUp 0.25, eyeSquint 0.8, "
            "eyeBlink 0.05, cheekSquint 0.9, mouthFrown 0.6, mouthShrugLower 0.5"
        ),
        _mix(
            "noseSneer 1.5, mouthUpperUp 1.1, browDown 0.15, browInnerUp 0.3, eyeSquint 0.7, "
            "eyeBlink 0.08, cheekSquint 0.8, jawOpen 0.42, mouthLowerDown 0.5, tongueOut 1.25, "
            "mouthFrown 0.4"
        ),
        _mix(
            "noseSneer 1.6, mouthUpperUp 1, browDown 0.2, browInnerUp 0.25, eyeBlink 0.12, "
            "eyeSquint 0.6, cheekSquint 0.8, mouthFrown 1.1, mouthShrugUpper 0.6, "
            "mouthShrugLower 0.9"
        ),
    ),
    "fear": (
        _mix(
            "browInnerUp 1.35, browDown 0.45, browOuterUp 0.35, eyeWide 1.35, mouthStretch 1.5, "
            "jawOpen 0.2, mouthLowerDown 1.1, mouthUpperUp 0.2, mouthFrown 0.3"
        ),
        _mix(
            "browInnerUp 1.35, browDown 0.5, browOuterUp 0.3, eyeWide 1.3, mouthStretch 1.5, "
            "jawOpen 0.36, mouthLowerDown 1, mouthUpperUp 0.3, mouthFrown 0.2"
        ),
        _mix(
            "browInnerUp 1.3, browDown 0.4, browOuterUp 0.4, eyeWide 1.4, mouthStretch 1.6, "
            "jawOpen 0.1, mouthFrown 0.3, mouthLowerDown 1.2"
        ),
    ),
    "happy": (
        _mix("mouthSmile 1.1, cheekSquint 0.8, eyeSquint 0.25, mouthDimple 0.3"),
        _mix(
            "mouthSmile 1.15, mouthUpperUp 0.9, jawOpen 0.1, cheekSquint 0.9, mouthLowerDown "
            "0.35, eyeSquint 0.25"
        ),
        _mix(
            "mouthSmile 1.15, jawOpen 0.32, mouthUpperUp 0.9, cheekSquint 1, eyeSquint 0.4, "
            "mouthLowerDown 0.25, browInnerUp 0.2"
        ),
    ),
    "sad": (
        _mix(
            "browInnerUp 1.4, browDown 0.45, mouthFrown 1.4, mouthShrugLower 0.7, eyeBlink "
            "0.12, eyeLookDown 0.25, eyeSquint 0.2"
        ),
        _mix(
            "browInnerUp 1.3, browDown 0.35, mouthFrown 1.3, mouthStretch 0.2, mouthShrugLower "
            "0.5, eyeBlink 0.1, eyeLookDown 0.5"
        ),
        _mix(
            "browInnerUp 1.4, browDown 0.55, mouthFrown 1.3, mouthStretch 0.3, eyeSquint 0.6, "
            "cheekSquint 0.4, mouthShrugLower 0.8, eyeBlink 0.12"
        ),
    ),
    "surprise": (
        _mix("browInnerUp 1.2, browOuterUp 1.4, eyeWide 1.2, jawOpen 0.75, mouthFunnel 0.2"),
        _mix(
            "browInnerUp 1.1, browOuterUp 1.4, eyeWide 1.1, jawOpen 0.6, mouthFunnel 0.5, "
            "mouthPucker 0.25"
        ),
        _mix("browInnerUp 1.15, browOuterUp 1.4, eyeWide 1, jawOpen 0.95, mouthFunnel 0.1"),
    ),
    "neutral": ({},),
}


def units() -> tuple[str, ...]:
    """Names of the face units, sided ones once per side, in the order of every weight vector."""
    return tuple(name[len("unit/") :] for name in assets.load().shapes if name.startswith("unit/"))


def draw(label: int, rng: np.random.Generator) -> Floats:
    """Weights (U,) of one expression: a variant, its strength, some freedom, some asymmetry."""
    names = units()
    weights = np.zeros(len(names))
    options = VARIANTS[CLASSES[label]]
    variant = options[int(rng.integers(len(options)))]
    strength = rng.uniform(0.85, 1.1)
    for unit, weight in variant.items():
        level = weight * strength * rng.uniform(0.88, 1.12)
        if unit in names:
            weights[names.index(unit)] = level
        else:
            weights[names.index(unit + "Left")] = level
            weights[names.index(unit + "Right")] = level * rng.uniform(0.9, 1.1)
    return np.round(weights, 3)


def pose(neutral: Floats, weights: Floats) -> Floats:
    """Vertices (V, 3) of a neutral head (V, 3) under unit weights (U,)."""
    pack = assets.load()
    vertices = neutral.copy()
    for unit, weight in zip(units(), weights, strict=True):
        pack.apply(vertices, "unit/" + unit, float(weight))
    return vertices


def level(weights: Floats, unit: str) -> float:
    """One unit's weight, the mean of its two sides where it has sides."""
    names = units()
    if unit in names:
        return float(weights[names.index(unit)])
    return float(weights[names.index(unit + "Left")] + weights[names.index(unit + "Right")]) / 2
