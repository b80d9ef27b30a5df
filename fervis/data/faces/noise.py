"""Smooth steps, value noise and soft strokes: the brushes of the painted head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fervis.data.faces.assets import Floats

Line = Sequence[tuple[float, float]]


def smooth(low: float | Floats, high: float | Floats, x: Floats) -> Floats:
    """0 below `low`, 1 above `high`, a cubic between; falling where low > high."""
    t = np.clip((x - low) / (np.asarray(high) - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def value_noise(points: Floats, seed: int, frequency: float) -> Floats:
    """Smooth noise in 0 … 1 at points (n, 3), one cell per 1/frequency, of seed and place only."""
    q = points * frequency
    cell = np.floor(q)
    f = q - cell
    f = f * f * (3 - 2 * f)
    step = np.array([73856093, 19349663, 83492791])
    i = cell.astype(np.int64) * step
    xs = [(i[:, 0] + d * step[0], f[:, 0] if d else 1 - f[:, 0]) for d in (0, 1)]
    ys = [(i[:, 1] + d * step[1], f[:, 1] if d else 1 - f[:, 1]) for d in (0, 1)]
    zs = [(i[:, 2] + d * step[2], f[:, 2] if d else 1 - f[:, 2]) for d in (0, 1)]
    salt = (seed * 2654435761) & 0xFFFFFFFF
    out = np.zeros(len(points))
    for hx, wx in xs:
        for hy, wy in ys:
            hxy, wxy = hx ^ hy, wx * wy
            for hz, wz in zs:
                h = (hxy ^ hz ^ salt) & 0xFFFFFF
                h = ((h * 1103515245 + 12345) >> 7) & 0xFFFF
                out += h * (wxy * wz)
    return out / 65535.0


def along(points: Floats, line: Line) -> tuple[Floats, Floats]:
    """Place along a polyline (0 … 1) and signed distance from it, at points (n, 2).

    The distance is positive above a line that runs to +x.
    """
    vertices = np.asarray(line, np.float64)
    count = len(vertices) - 1
    best = np.full(len(points), np.inf)
    place, side = np.zeros(len(points)), np.zeros(len(points))
    for k in range(count):
        start, run = vertices[k], vertices[k + 1] - vertices[k]
        rx, ry = points[:, 0] - start[0], points[:, 1] - start[1]
        t = np.clip((rx * run[0] + ry * run[1]) / (run[0] ** 2 + run[1] ** 2), 0, 1)
        dx, dy = rx - t * run[0], ry - t * run[1]
        distance = np.hypot(dx, dy)
        near = distance < best
        best = np.where(near, distance, best)
        place = np.where(near, (k + t) / count, place)
        side = np.where(near, np.sign(run[0] * dy - run[1] * dx) * distance, side)
    return place, side


def stroke(points: Floats, line: Line, start: float, end: float | None = None) -> Floats:
    """Soft line, 1 on it and falling as a Gaussian of width start … end; points (n, 2)."""
    place, side = along(points, line)
    width = start + ((start if end is None else end) - start) * place
    return np.asarray(np.exp(-((side / width) ** 2)))


def crease(points: Floats, line: Line, width: float) -> Floats:
    """A skin fold, about -0.4 … 1 at points (n, 2): dark groove, light rims, fading ends."""
    place, side = along(points, line)
    groove = np.exp(-((side / width) ** 2))
    rim = np.exp(-(((np.abs(side) - 2.0 * width) / (1.1 * width)) ** 2))
    return np.asarray((groove - 0.35 * rim) * smooth(0.0, 0.18, place) * smooth(1.0, 0.82, place))
