"""Hair: a cap that swells out of the scalp and, if long, locks that fall around the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fervis.data.faces import assets
from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.identity import Identity
from fervis.data.faces.noise import smooth, value_noise

# style → (thickness in dm, coarseness of its lumps, share of lumps)
VOLUME = {
    "short": (0.10, 4.0, 0.8),
    "crop": (0.035, 6.0, 0.5),
    "curly": (0.20, 9.0, 1.0),
    "bald": (0.0, 1.0, 0.0),
    "tied": (0.06, 5.0, 0.4),
    "long": (0.11, 3.0, 0.6),
    "bob": (0.13, 3.0, 0.6),
}
COLUMNS, ROWS = 64, 20


@dataclass(frozen=True)
class Locks:
    """Falling hair: vertices (n,3), triangles (m,3), strand coordinates (n,3) for the paint."""

    vertices: Floats
    triangles: Ints
    strand: Floats


def mask(rest: Floats, person: Identity) -> Floats:
    """How much of the scalp at rest coordinates (n,3) is covered with hair, 0 … 1."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    salt = person.seed & 0xFFFF
    strands = value_noise(rest * [1.0, 0.2, 0.4], salt + 11, 22.0) - 0.5
    line = np.full(len(rest), 7.92 + person.hairline)
    if person.fringe:
        side = 1.0 if person.seed & 1 else -1.0
        line = line - 0.20 - 0.16 * side * rest[:, 0]
        strands = 1.6 * strands + 0.5 * (value_noise(rest * [1.0, 0, 0], salt + 12, 9.0) - 0.5)
        temple = 0.0
    else:
        temple = 0.12 if person.gender == "female" else 0.04
    front = smooth(line - 0.07, line + 0.07, y + temple * smooth(0.25, 0.6, x) + 0.13 * strands)
    edge = 0.30 + 0.95 * smooth(7.1, 8.05 + person.hairline, y) + 0.05 * strands
    low = 6.75 if person.gender == "female" else 6.95
    side_burn = smooth(0.09, -0.09, z - edge) * smooth(low, low + 0.25, y)
    return np.asarray(np.clip(np.maximum(front * smooth(0.2, 0.6, z), side_burn), 0, 1))


def swelling(rest: Floats, covered: Floats, person: Identity) -> Floats:
    """How far the cap stands off the scalp (n,) in dm; rest (n,3), covered (n,) from `mask`."""
    thickness, coarse, lumps = VOLUME[person.hair]
    salt = person.seed & 0xFFFF
    bumps = 1 + lumps * (value_noise(rest, salt, coarse) - 0.5)
    lift = 0.55 + 0.6 * smooth(7.6, 8.3, rest[:, 1])
    return np.asarray(covered * thickness * bumps * lift * smooth(6.9, 7.7, rest[:, 1]))


def _outline(vertices: Floats, centre: Floats) -> Floats:
    """Radius of the head by angle around the vertical (36 bins from the face), smoothed."""
    pack = assets.load()
    band = (pack.vertex_part == assets.BODY) & (pack.rest[:, 1] > 7.05) & (pack.rest[:, 1] < 7.9)
    band &= pack.ears < 0.3
    q = vertices[band] - centre
    angle = np.degrees(np.arctan2(q[:, 0], q[:, 2])) % 360
    radius = np.zeros(36)
    np.maximum.at(radius, (angle / 10).astype(np.int64) % 36, np.hypot(q[:, 0], q[:, 2]))
    padded = np.concatenate([radius[-2:], radius, radius[:2]])
    return np.asarray(np.maximum(radius, np.convolve(padded, np.full(5, 0.2), "valid")))


def locks(vertices: Floats, person: Identity) -> Locks | None:
    """Falling hair around a neutral head (V,3), or None for styles without it."""
    if person.hair not in ("long", "bob"):
        return None
    rng = np.random.default_rng([person.seed, 3])
    pack = assets.load()
    eye = pack.vertex_part == assets.EYE
    left = eye & (pack.rest[:, 0] > 0)
    unit = 2 * float(vertices[left, 0].mean()) / 0.616
    level = float(vertices[eye, 1].mean())
    centre = np.array([0.0, 0.0, float(vertices[eye, 2].mean()) - 0.80 * unit])
    outline = _outline(vertices, centre)

    long = person.hair == "long"
    fall = rng.uniform(1.7, 2.6) if long else rng.uniform(0.75, 1.15)
    top, bottom = level + 0.62 * unit, level - fall * unit
    open_top, open_ear = rng.uniform(54, 62), rng.uniform(63, 76)
    open_low = rng.uniform(60, 88) if long else rng.uniform(56, 70)
    fullness = rng.uniform(0.06, 0.16) * unit
    waves, wave_depth = rng.uniform(3, 9), rng.choice([0.012, 0.03, 0.05]) * unit
    inward = rng.uniform(-0.02, 0.10) * unit * (2.0 if not long else 1.0)

    s, t = np.meshgrid(np.linspace(0, 1, COLUMNS), np.linspace(0, 1, ROWS))
    y = top + (bottom - top) * t
    depth = (top - y) / unit
    opening = np.interp(depth, [0, 0.55, 1.7], [open_top, open_ear, open_low])
    salt = person.seed & 0xFFFF
    sides = np.column_stack([np.zeros(t.size), 3 * depth.ravel(), s.ravel() > 0.5])
    ragged = value_noise(sides, salt, 2.0)
    opening = opening + 7 * (ragged.reshape(t.shape) - 0.5)
    angle = opening + (360 - 2 * opening) * s
    radius = np.interp(angle / 10, np.arange(37) + 0.5, np.append(outline, outline[0]))
    swell = fullness * np.clip(depth / 0.5, 0, 1) + 0.03 * unit
    radius = radius + swell - inward * np.clip((depth - 0.9) / 0.6, 0, 1)
    edge = np.minimum(s, 1 - s) * 2
    radius = radius - 0.08 * unit * np.exp(-edge / 0.06)  # the front edge lies on the cheek
    around = np.column_stack([angle.ravel() / 22, 0.7 * depth.ravel(), np.zeros(t.size)])
    lumps = value_noise(around, salt, 1.0)
    radius = radius + wave_depth * np.sin(waves * depth + angle / 25)
    radius = radius + 0.08 * unit * (lumps.reshape(t.shape) - 0.5)
    turn = np.radians(angle)
    place = np.stack([radius * np.sin(turn), y, centre[2] + radius * np.cos(turn)], 2)

    i = np.arange(ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)
    a, b, c, d = (corner.ravel() for corner in (i, i + COLUMNS, i + COLUMNS + 1, i + 1))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    bend = 0.25 * np.sin(waves * depth * 0.7)
    strand = np.stack([angle / 25 + bend, 7.5 - depth * 0.2, np.zeros_like(t)], 2).reshape(-1, 3)
    return Locks(place.reshape(-1, 3), triangles, strand)
