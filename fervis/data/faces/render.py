"""One picture of one posed head, with what it knows about itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces import assets, camera, light, paint, truth
from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.background import background
from fervis.data.faces.camera import View
from fervis.data.faces.head import Head, Posed
from fervis.data.faces.noise import smooth
from fervis.data.faces.raster import Surface, visible

MOUTH_PUSH = (
    0.09  # dm that teeth and tongue stand back in depth, so that they never poke through the lips
)


@dataclass(frozen=True)
class Film:
    """How light becomes grey: set on the neutral picture of a view and kept for its expressions."""

    gain: float
    middle: float
    contrast: float


@dataclass(frozen=True)
class Picture:
    """A rendered face of S × S pixels."""

    image: NDArray[np.uint8]  # (S, S)
    motion: NDArray[
        np.uint8
    ]  # (S, S) in steps of 1 / truth.MOTION_STEPS of the distance between the eyes
    regions: NDArray[np.uint8]  # (S, S) indices into truth.REGIONS
    landmarks: Floats  # (L, 2) column and row in pixels
    film: Film


GROUP = (
    "x",
    "y",
    "z",
    "nx",
    "ny",
    "nz",
    "light",
    "key",
    "open",
    "lips",
    "inside",
    "hair",
    "ears",
    "motion",
)


def picture(
    head: Head, posed: Posed, view: View, size: int, factor: int, film: Film | None = None
) -> Picture:
    """Render at size · factor, average down to size × size; without `film`, set it here."""
    big = size * factor
    projection = camera.project(head, view, big)
    points = projection(posed.vertices)
    push = np.where(np.isin(head.part, (assets.TEETH, assets.TONGUE)), MOUTH_PUSH, 0.0)
    front = _facing(points, head)
    surface = visible(points, head.triangles[front], big, push[front])
    triangles, part = head.triangles[front], head.part[front][surface.triangle]

    given, lobe, key = light.weights(view.lamp, projection.matrix)
    vertex = np.column_stack(
        [
            head.rest,
            posed.normals,
            np.einsum("vd,d->v", posed.transfer, given),
            np.einsum("vd,d->v", posed.reached, lobe),
            posed.reached.mean(1),
            head.lips,
            head.inside,
            head.covered,
            head.ears,
            posed.motion,
        ]
    )
    at = dict(zip(GROUP, surface.interpolate(vertex, triangles).T, strict=True))
    rest = np.stack([at["x"], at["y"], at["z"]], 1)
    normal = np.stack([at["nx"], at["ny"], at["nz"]], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9

    albedo, shine = _albedo(head, posed, view, rest, part, at, projection.matrix)
    glow = _highlight(head, normal, rest, part, at, key, projection.matrix, shine)
    face = (
        (part == assets.BODY)
        & (at["hair"] < 0.2)
        & (rest[:, 2] > 0.8)
        & (rest[:, 1] > 6.2)
        & (rest[:, 1] < 7.9)
    )
    lit = float(np.percentile(at["light"][face], 75))
    shade = _within_mouth(at["light"] / lit, part, at, rest)
    radiance = albedo * shade + glow / lit
    if film is None:
        film = _develop(head, view, radiance[face])
    values = np.ascontiguousarray(background(np.random.default_rng([view.seed, 1]), big)).ravel()
    values[surface.pixel] = _grey(radiance, film)
    values *= 1 - _lashes(head, points, surface, big)
    regions = np.zeros(big * big, np.uint8)
    regions[surface.pixel] = truth.regions(
        rest, part, at["hair"], at["ears"], at["lips"], at["inside"]
    )
    moved = np.zeros(big * big)
    moved[surface.pixel] = at["motion"]
    spots = posed.vertices[truth.landmark_vertices()]
    return Picture(
        image=_bytes(truth.average(values.reshape(big, big), factor) * 255),
        motion=_bytes(truth.average(moved.reshape(big, big), factor) * truth.MOTION_STEPS),
        regions=truth.majority(regions.reshape(big, big), factor),
        landmarks=np.round((projection(spots)[:, :2] + 0.5) / factor - 0.5, 2),
        film=film,
    )


def _bytes(values: Floats) -> NDArray[np.uint8]:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _facing(points: Floats, head: Head) -> Ints:
    """Triangles that turn their outer side to the camera; hair shows both."""
    a, b, c = (points[head.triangles[:, k], :2] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return np.flatnonzero((area < 0) | np.isin(head.part, assets.SHEETS))


def _albedo(
    head: Head,
    posed: Posed,
    view: View,
    rest: Floats,
    part: Ints,
    at: dict[str, Floats],
    matrix: Floats,
) -> tuple[Floats, Floats]:
    """Albedo (n,) and how much is hair (n,)."""
    person = head.person
    albedo, strands = np.full(len(rest), 0.5), np.zeros(len(rest))
    body = part == assets.BODY
    tone = paint.skin(rest[body], at["lips"][body], at["inside"][body], person, posed.weights)
    cloth = smooth(5.74, 5.68, rest[body, 1] - 0.35 * smooth(0.9, 1.5, np.abs(rest[body, 0])))
    tone = tone * (1 - cloth) + person.clothes * cloth
    if person.hair == "bald":
        tone *= 1 - 0.1 * at["hair"][body]
    else:
        grown = paint.cap(rest[body], person)
        under = at["hair"][body]
        edge = under + 2.0 * (grown / person.hair_tone - 1.0) * under * (1 - under)
        share = smooth(0.25, 0.75, edge)
        tone = tone * (1 - share) + grown * share
        strands[body] = share
    albedo[body] = tone
    fall = part == assets.HAIR
    albedo[fall] = paint.locks(rest[fall], person)
    strands[fall] = 1.0
    turn = np.radians(view.gaze)
    toward = np.einsum("ij,i->j", matrix, [np.sin(turn[0]), np.sin(turn[1]), 1.0])
    toward = toward / np.linalg.norm(toward) * 0.75 + np.array([0, 0, 0.25])
    toward /= np.linalg.norm(toward)
    for sign in (1, -1):
        globe = (part == assets.EYE) & (sign * rest[:, 0] > 0)
        centre = np.array([sign * 0.308, 7.284, 1.237])
        albedo[globe] = paint.eye(rest[globe], centre, toward, person)
    albedo[part == assets.TEETH] = 0.85 - 0.2 * person.old
    albedo[part == assets.TONGUE] = 0.27
    return albedo, strands


def _highlight(
    head: Head,
    normal: Floats,
    rest: Floats,
    part: Ints,
    at: dict[str, Floats],
    key: Floats,
    matrix: Floats,
    strands: Floats,
) -> Floats:
    """Mirror-like light (n,): the sheen of skin, the glint in the eye, the band along the hair."""
    half = key + matrix[2]
    half /= np.linalg.norm(half)
    facing = np.clip(np.einsum("ni,i->n", normal, half), 0, 1)
    out = (0.05 + 0.06 * at["lips"]) * facing**11
    globe = part == assets.EYE
    out[globe] = 0.8 * facing[globe] ** 90
    out[np.isin(part, (assets.TEETH, assets.TONGUE))] *= 1.5
    comb = np.stack(
        [np.sign(rest[:, 0]) * 0.5, np.full(len(rest), -0.6), np.full(len(rest), -0.6)], 1
    )
    comb[part == assets.HAIR] = (0.0, -1.0, 0.0)
    comb -= normal * np.einsum("ni,ni->n", comb, normal)[:, None]
    comb /= np.linalg.norm(comb, axis=1, keepdims=True) + 1e-9
    across = np.sqrt(np.clip(1 - np.einsum("ni,i->n", comb, half) ** 2, 0, 1))
    band = (0.05 + 0.25 * head.person.hair_tone) * across**24
    return np.asarray((out * (1 - strands) + band * strands) * at["key"])


def _within_mouth(shade: Floats, part: Ints, at: dict[str, Floats], rest: Floats) -> Floats:
    """Irradiance (n,) with what the coarse shadow maps get wrong inside the mouth put right."""
    out = shade * (1 - 0.6 * at["inside"])
    teeth, tongue = part == assets.TEETH, part == assets.TONGUE
    gaps = 0.93 + 0.07 * np.cos(rest[teeth, 0] * 2 * np.pi / 0.085)
    seen = smooth(0.0, 0.10, at["open"][teeth])
    out[teeth] = (
        (0.5 * seen + 0.6 * shade[teeth]) * gaps * smooth(0.25, 0.08, np.abs(rest[teeth, 0])) ** 0.7
    )
    depth = smooth(1.15, 1.4, rest[tongue, 2])
    out[tongue] = (0.12 + 0.85 * shade[tongue]) * (0.35 + 0.65 * depth)
    return np.asarray(out)


def _develop(head: Head, view: View, face: Floats) -> Film:
    tone = np.clip((head.person.skin - 0.22) / 0.45, 0, 1)
    middle = float(np.clip(0.35 + 0.25 * tone + view.exposure, 0.28, 0.68))
    gain = middle**2.2 / float(np.median(face))
    low, high = (np.percentile(face, (5, 95)) * gain) ** (1 / 2.2)
    return Film(gain, middle, float(np.clip(view.contrast / (high - low), 0.85, 1.6)))


def _grey(radiance: Floats, film: Film) -> Floats:
    """Display values (n,): gain, gamma, contrast about the face's middle grey, a soft shoulder."""
    value = (np.clip(radiance, 0, None) * film.gain) ** (1 / 2.2)
    value = film.middle + (value - film.middle) * film.contrast
    value = np.where(value > 0.78, 0.78 + 0.21 * np.tanh((value - 0.78) / 0.21), value)
    return np.clip(value, 0.015, 1)


def _lashes(head: Head, points: Floats, surface: Surface, size: int) -> Floats:
    """Share of light that lashes take from each pixel (size · size,)."""
    out = np.zeros(size * size)
    behind = np.full(size * size, -np.inf)
    behind[surface.pixel] = surface.depth
    lash = visible(points, head.lashes, size)
    seen = lash.depth > behind[lash.pixel] - 0.02
    out[lash.pixel[seen]] = 0.7 * head.person.lashes
    return out
