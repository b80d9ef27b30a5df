"""How light becomes grey: exposure, contrast and a soft shoulder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fervis.data.faces.assets import Floats
from fervis.data.faces.camera import View
from fervis.data.faces.identity import Identity

GAMMA = 2.2
SHOULDER = 0.78  # brighter greys are compressed


@dataclass(frozen=True)
class Film:
    """Set on the neutral picture of a view and kept for its expressions."""

    gain: float
    middle: float
    contrast: float


def develop(person: Identity, view: View, face: Floats) -> Film:
    """The film that gives a neutral face, radiance (n,), its skin's grey and the contrast."""
    tone = np.clip((person.skin - 0.22) / 0.45, 0, 1)
    middle = float(np.clip(0.35 + 0.25 * tone + view.exposure, 0.28, 0.68))
    gain = middle**GAMMA / float(np.median(face))
    low, high = (np.percentile(face, (5, 95)) * gain) ** (1 / GAMMA)
    return Film(gain, middle, float(np.clip(view.contrast / (high - low), 0.85, 1.6)))


def grey(radiance: Floats, film: Film) -> Floats:
    """Display values (n,) in 0 … 1: gain, gamma, contrast about the face's middle grey."""
    value = (np.clip(radiance, 0, None) * film.gain) ** (1 / GAMMA)
    value = film.middle + (value - film.middle) * film.contrast
    bent = SHOULDER + 0.21 * np.tanh((value - SHOULDER) / 0.21)
    return np.asarray(np.clip(np.where(value > SHOULDER, bent, value), 0.015, 1))
