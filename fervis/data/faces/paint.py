"""Skin, brows, eyes and hair as albedo, 0 black … 1 white.

Painted in rest coordinates, so that they move with the skin.
"""

from __future__ import annotations

import numpy as np

from fervis.data.faces.assets import Floats
from fervis.data.faces.expression import level
from fervis.data.faces.identity import Identity
from fervis.data.faces.noise import Line, along, crease, smooth, stroke, value_noise

BROW = ((0.105, 7.482), (0.19, 7.509), (0.33, 7.537), (0.45, 7.519), (0.56, 7.458))
IRIS, PUPIL = 0.46, 0.19  # radians on the eyeball


def skin(rest: Floats, lips: Floats, inside: Floats, person: Identity, weights: Floats) -> Floats:
    """Albedo (n,) of skin, lips and mouth lining; rest (n,3), masks (n,), weights (U,)."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    flat, front, salt = np.column_stack([x, y]), smooth(0.7, 1.0, z), person.seed & 0xFFFF
    tone = np.full(len(rest), person.skin)
    tone *= (
        1
        + 0.09 * (value_noise(rest, salt, 3.0) - 0.5)
        + 0.06 * (value_noise(rest, salt + 1, 9.0) - 0.5)
    )
    tone *= 1 + (0.04 + 0.05 * person.old) * (value_noise(rest, salt + 2, 28.0) - 0.5)
    tone *= 1 - 0.09 * np.exp(-(((x - 0.31) / 0.24) ** 2) - ((y - 7.30) / 0.13) ** 2) * front
    tone *= 1 - 0.05 * np.exp(-(((x - 0.45) / 0.2) ** 2) - ((y - 6.95) / 0.16) ** 2) * front
    bags = stroke(flat, ((0.2, 7.17), (0.31, 7.13), (0.43, 7.17)), 0.04)
    tone *= 1 - (0.06 + 0.15 * person.old) * bags * front
    lid = stroke(flat, ((0.17, 7.30), (0.25, 7.375), (0.36, 7.385), (0.46, 7.325)), 0.018)
    tone *= 1 - 0.25 * lid * front
    tone *= 1 - np.clip(_folds(flat, person, weights) * front, -0.12, 0.6)
    tone = (
        tone * (1 - lips)
        + person.skin
        * person.lips
        * (0.9 + 0.2 * value_noise(rest * [1, 0.2, 1], salt, 40.0))
        * lips
    )
    tone = _beard(tone, rest, lips, person)
    tone = tone * (1 - inside) + 0.16 * inside
    return _brows(tone, flat, rest, front, person)


def _folds(flat: Floats, person: Identity, weights: Floats) -> Floats:
    """Wrinkles of age and of the expression, as a share of darkening."""

    line: Line

    def g(unit: str) -> float:
        return max(0.0, level(weights, unit))

    old, inner, outer, down = person.old, g("browInnerUp"), g("browOuterUp"), g("browDown")
    sneer, smile, upper, squint = (
        g("noseSneer"),
        g("mouthSmile"),
        g("mouthUpperUp"),
        g("cheekSquint"),
    )
    soft = 0.55 if person.child else 1.0
    out = np.zeros(len(flat))
    rng = np.random.default_rng([person.seed, 5])
    for k, height in enumerate((7.67, 7.765, 7.86)):
        a, b, c = height + rng.normal(0, 0.012, 3)
        line = ((-0.2, a - 0.012), (0.0, a - 0.012), (0.2, b + 0.012), (0.38, c), (0.54, c - 0.05))
        across = 0.14 * old + soft * 0.19 * min(outer, 1.4) * (1 - 0.18 * k)
        out += across * crease(flat, line, 0.02)
        if k < 2:
            middle = (
                (-0.3, a + 0.02),
                (-0.12, a - 0.02),
                (0.0, a - 0.03),
                (0.12, a - 0.02),
                (0.3, a + 0.02),
            )
            out += soft * 0.15 * max(0.0, inner - 0.75 * outer) * crease(flat, middle, 0.022)
    out += (0.08 * old + soft * 0.26 * max(0.0, down - 0.25)) * crease(
        flat, ((0.055, 7.36), (0.06, 7.47), (0.085, 7.58)), 0.02
    )
    out += (
        soft
        * 0.12
        * max(0.0, min(inner, 1.0) * down)
        * crease(flat, ((0.045, 7.42), (0.05, 7.52), (0.06, 7.6)), 0.018)
    )
    for line in (
        ((-0.1, 7.26), (0.0, 7.265), (0.1, 7.24)),
        ((-0.1, 7.335), (0.0, 7.34), (0.11, 7.31)),
    ):
        out += soft * 0.2 * sneer * crease(flat, line, 0.018)
    out += soft * 0.2 * sneer * crease(flat, ((0.06, 7.3), (0.12, 7.19), (0.18, 7.1)), 0.02)
    cheek = (
        0.03 + 0.07 * old + 0.11 * smile + 0.10 * sneer + 0.05 * upper + 0.08 * g("mouthStretch")
    )
    nasolabial = ((0.175, 7.0), (0.235, 6.90), (0.32, 6.78), (0.375, 6.64), (0.38, 6.54))
    out += soft * cheek * crease(flat, nasolabial, 0.032)
    crow = 0.1 * old + soft * 0.22 * squint + 0.08 * smile * old
    for line in (
        ((0.48, 7.265), (0.57, 7.235), (0.66, 7.19)),
        ((0.49, 7.305), (0.58, 7.31), (0.67, 7.30)),
    ):
        out += crow * crease(flat, line, 0.014)
    out += (0.06 * old + soft * 0.24 * squint) * crease(
        flat, ((0.17, 7.15), (0.31, 7.095), (0.47, 7.15)), 0.02
    )
    out += (0.08 * old + soft * 0.14 * g("mouthFrown")) * crease(
        flat, ((0.275, 6.65), (0.32, 6.57), (0.34, 6.47)), 0.026
    )
    dimple = np.exp(-((flat[:, 0] / 0.17) ** 2) - ((flat[:, 1] - 6.35) / 0.07) ** 2)
    noise = value_noise(np.column_stack([flat, np.zeros(len(flat))]), person.seed & 0xFFFF, 20.0)
    return np.asarray(out + soft * 0.16 * g("mouthShrugLower") * dimple * (0.3 + 1.2 * noise))


def _beard(tone: Floats, rest: Floats, lips: Floats, person: Identity) -> Floats:
    if person.beard <= 0 and person.moustache <= 0:
        return tone
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    salt = person.seed & 0xFFFF
    jaw = (
        smooth(6.98, 6.72, y - 0.9 * np.clip(x - 0.42, 0, 1))
        * smooth(5.9, 6.15, y)
        * smooth(0.1, 0.35, z)
    )
    jaw *= 1 - np.exp(-((x / 0.16) ** 2) - ((y - 6.93) / 0.06) ** 2)
    jaw *= 1 - 0.85 * np.exp(-(((x - 0.36) / 0.16) ** 2) - ((y - 6.95) / 0.14) ** 2)
    lip = (
        np.exp(-(((y - 6.80 + 0.16 * x) / 0.06) ** 2)) * smooth(0.36, 0.27, x) * smooth(1.0, 1.2, z)
    )
    jaw *= 1 - np.exp(-((x / 0.3) ** 2) - ((y - 6.8) / 0.08) ** 2)
    amount = np.maximum(person.beard * jaw, person.moustache * lip) * (1 - lips)
    amount = np.clip(amount * (0.55 + 0.9 * value_noise(rest, salt + 5, 34.0)), 0, 0.92)
    return np.asarray(tone * (1 - amount) + 0.8 * min(person.hair_tone, 0.35) * amount)


def _brows(tone: Floats, flat: Floats, rest: Floats, front: Floats, person: Identity) -> Floats:
    rng = np.random.default_rng([person.seed, 7])
    arch, tail, head = rng.normal(0, 0.012), rng.normal(0, 0.015), rng.normal(0, 0.008)
    lift = (head, 0.3 * head, arch, arch, tail)
    line = tuple((px, py + d) for (px, py), d in zip(BROW, lift, strict=True))
    place, side = along(flat, line)
    width = (
        0.040
        * person.brow_width
        * (0.8 + 0.4 * smooth(0.0, 0.25, place))
        * smooth(1.15, 0.35, place)
    )
    slant = np.column_stack(
        [18 * place + 90 * side * (1 - 0.7 * place), 9 * side, np.sign(rest[:, 0])]
    )
    hairs = value_noise(slant, person.seed & 0xFFFF, 1.6)
    cover = np.exp(-((np.abs(side) / (width + 1e-3)) ** 2.6)) * smooth(
        -0.04, 0.2, place + 0.1 * hairs
    )
    cover *= np.where(
        (place <= 0.0) | (place >= 1.0), np.exp(-((side / (0.6 * width + 1e-3)) ** 2)), 1.0
    )
    cover = np.clip(cover * (0.85 + 0.6 * hairs), 0, 1) * person.brow_dark * front
    ink = min(0.5 * person.hair_tone, 0.3 if person.old > 0.55 else 0.09)
    return np.asarray(tone * (1 - cover) + ink * cover)


def eye(rest: Floats, centre: Floats, gaze: Floats, person: Identity) -> Floats:
    """Albedo (n,) of an eyeball; rest (n,3), its centre (3,), the direction (3,) it looks in."""
    toward = rest - centre
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    angle = np.arccos(np.clip(np.einsum("ni,i->n", toward, gaze), -1, 1))
    tone = 0.72 - 0.2 * smooth(0.55, 1.1, angle)
    rim = 1 - 0.55 * smooth(IRIS - 0.1, IRIS, angle)
    colour = person.iris * (0.75 + 0.5 * smooth(PUPIL, IRIS - 0.06, angle)) * rim
    inside = smooth(IRIS + 0.03, IRIS - 0.03, angle)
    tone = tone * (1 - inside) + colour * inside
    pupil = smooth(PUPIL + 0.02, PUPIL - 0.02, angle)
    return np.asarray(tone * (1 - pupil) + 0.01 * pupil)


def cap(rest: Floats, person: Identity) -> Floats:
    """Albedo (n,) of hair on the scalp at rest coordinates (n,3)."""
    salt = person.seed & 0xFF
    if person.hair in ("curly", "crop"):
        grain = 0.6 * value_noise(rest, salt, 16.0) + 0.5 * value_noise(rest, salt + 1, 34.0)
    else:
        grain = 0.7 * value_noise(rest * [1.0, 0.3, 0.25], salt, 36.0) + 0.45 * value_noise(
            rest, salt, 6.0
        )
    return np.asarray(person.hair_tone * (0.5 + 0.9 * grain))


def locks(strand: Floats, person: Identity) -> Floats:
    """Albedo (n,) of falling hair at strand coordinates (n,3)."""
    salt = person.seed & 0xFF
    grain = 0.6 * value_noise(strand * [1.0, 0.5, 1.0], salt, 5.0) + 0.5 * value_noise(
        strand * [1.0, 0.3, 1.0], salt + 1, 14.0
    )
    return np.asarray(person.hair_tone * (0.45 + 0.95 * grain))
