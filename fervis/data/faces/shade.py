"""What light becomes on each material: albedo, sheen, and the dimness inside a mouth."""

from __future__ import annotations

import numpy as np

from fervis.data.faces import assets, paint
from fervis.data.faces.assets import Floats
from fervis.data.faces.camera import View
from fervis.data.faces.head import Head, Posed
from fervis.data.faces.noise import smooth
from fervis.data.faces.samples import Samples

TEETH, TEETH_OF_OLD, TONGUE = 0.85, 0.65, 0.27
EYE_CENTRE = np.array([0.308, 7.284, 1.237])  # of the left eye, rest coordinates
FOLLOWING = 0.75  # how far eyes follow the camera when the head is turned


def radiance(
    head: Head, posed: Posed, view: View, seen: Samples, key: Floats, matrix: Floats
) -> Floats:
    """Light (n,) that leaves each point towards the camera; key (3,) and matrix as in `light`."""
    tone, strands = _albedo(head, posed, view, seen, matrix)
    lit = float(np.percentile(seen.light[seen.face], 75))
    glow = _highlight(head, seen, strands, key, matrix)
    return tone * _within_mouth(seen.light / lit, seen) + glow / lit


def _albedo(
    head: Head, posed: Posed, view: View, seen: Samples, matrix: Floats
) -> tuple[Floats, Floats]:
    """Albedo (n,) and how much of it is hair (n,)."""
    person, part, rest = head.person, seen.part, seen.rest
    tone, strands = np.full(len(rest), 0.5), np.zeros(len(rest))
    body = part == assets.BODY
    tone[body], strands[body] = _body(head, posed, seen, np.flatnonzero(body))
    fall = part == assets.HAIR
    tone[fall], strands[fall] = paint.locks(rest[fall], person), 1.0
    gaze = _gaze(view, matrix)
    for sign in (1, -1):
        globe = (part == assets.EYE) & (sign * rest[:, 0] > 0)
        tone[globe] = paint.eye(rest[globe], EYE_CENTRE * [sign, 1, 1], gaze, person)
    tone[part == assets.TEETH] = TEETH + (TEETH_OF_OLD - TEETH) * person.old
    tone[part == assets.TONGUE] = TONGUE
    return tone, strands


def _body(head: Head, posed: Posed, seen: Samples, at: assets.Ints) -> tuple[Floats, Floats]:
    """Albedo and share of hair of points `at` on the body: skin, then clothes, then hair."""
    person, rest, under = head.person, seen.rest[at], seen.hair[at]
    tone = paint.skin(rest, seen.lips[at], seen.inside[at], person, posed.weights)
    collar = rest[:, 1] - 0.35 * smooth(0.9, 1.5, np.abs(rest[:, 0]))
    cloth = smooth(5.74, 5.68, collar)
    tone = tone * (1 - cloth) + person.clothes * cloth
    if person.hair == "bald":
        return tone * (1 - 0.1 * under), np.zeros(len(at))
    grown = paint.cap(rest, person)
    frayed = under + 2.0 * (grown / person.hair_tone - 1.0) * under * (1 - under)
    share = smooth(0.25, 0.75, frayed)
    return tone * (1 - share) + grown * share, share


def _gaze(view: View, matrix: Floats) -> Floats:
    """Unit direction (3,) in head space that the eyes look in: towards the camera, mostly."""
    right, up = np.sin(np.radians(view.gaze))
    toward = np.einsum("ij,i->j", matrix, np.array([right, up, 1.0]))
    toward = FOLLOWING * toward / np.linalg.norm(toward) + np.array([0, 0, 1 - FOLLOWING])
    return np.asarray(toward / np.linalg.norm(toward))


def _highlight(head: Head, seen: Samples, strands: Floats, key: Floats, matrix: Floats) -> Floats:
    """Mirror-like light (n,): the sheen of skin, the glint in the eye, the band along the hair."""
    half = key + matrix[2]
    half /= np.linalg.norm(half)
    facing = np.clip(np.einsum("ni,i->n", seen.normal, half), 0, 1)
    out = (0.05 + 0.06 * seen.lips) * facing**11
    globe = seen.part == assets.EYE
    out[globe] = 0.8 * facing[globe] ** 90
    out[np.isin(seen.part, (assets.TEETH, assets.TONGUE))] *= 1.5
    comb = np.tile([0.5, -0.6, -0.6], (len(out), 1))
    comb[:, 0] *= np.sign(seen.rest[:, 0])
    comb[seen.part == assets.HAIR] = (0.0, -1.0, 0.0)
    comb -= seen.normal * np.einsum("ni,ni->n", comb, seen.normal)[:, None]
    comb /= np.linalg.norm(comb, axis=1, keepdims=True) + 1e-9
    # light on strands (Kajiya and Kay 1989): brightest across them
    across = np.sqrt(np.clip(1 - np.einsum("ni,i->n", comb, half) ** 2, 0, 1))
    band = (0.05 + 0.25 * head.person.hair_tone) * across**24
    return np.asarray((out * (1 - strands) + band * strands) * seen.key)


def _within_mouth(light: Floats, seen: Samples) -> Floats:
    """Irradiance (n,) with what the coarse shadow maps get wrong inside the mouth put right."""
    out = light * (1 - 0.6 * seen.inside)
    teeth, tongue = seen.part == assets.TEETH, seen.part == assets.TONGUE
    across = seen.rest[teeth, 0]
    gaps = 0.93 + 0.07 * np.cos(across * 2 * np.pi / 0.085)
    corner = smooth(0.25, 0.08, np.abs(across)) ** 0.7
    bared = smooth(0.0, 0.10, seen.open[teeth])
    out[teeth] = (0.5 * bared + 0.6 * light[teeth]) * gaps * corner
    depth = smooth(1.15, 1.4, seen.rest[tongue, 2])
    out[tongue] = (0.12 + 0.85 * light[tongue]) * (0.35 + 0.65 * depth)
    return np.asarray(out)
