"""A z-buffer in numpy: which triangle each pixel sees, and where on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces.assets import Floats, Ints

BUCKETS = (3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
FRAGMENTS = 400_000


@dataclass(frozen=True)
class Fragments:
    """Covered samples of all triangles, near and far; pixel is row · width + column."""

    pixel: Ints
    depth: Floats
    triangle: Ints
    first: Floats
    second: Floats


def fragments(points: Floats, triangles: Ints, width: int, height: int) -> Fragments:
    """Every pixel centre inside every triangle; points (V, 3) are column, row, depth."""
    column, row, far = points.T
    i, j, k = triangles.T
    x0, y0 = column[i], row[i]
    x1, y1, x2, y2 = column[j] - x0, row[j] - y0, column[k] - x0, row[k] - y0
    left, right = _reach(x0, x1, x2, width)
    top, bottom = _reach(y0, y1, y2, height)
    area = x1 * y2 - x2 * y1
    size = np.maximum(right - left, bottom - top) + 1
    live = (right >= left) & (bottom >= top) & (np.abs(area) > 1e-9)
    found: list[tuple[NDArray[np.generic], ...]] = []
    done = 0
    for bucket in (*BUCKETS, max(width, height)):
        chosen = np.flatnonzero(live & (size > done) & (size <= bucket))
        done = max(done, bucket)
        rows, columns = np.divmod(np.arange(bucket * bucket), bucket)
        step = max(1, FRAGMENTS // (bucket * bucket))
        for start in range(0, len(chosen), step):
            t = chosen[start : start + step]
            x, y = left[t][:, None] + columns, top[t][:, None] + rows
            dx, dy = x - x0[t][:, None], y - y0[t][:, None]
            scale = 1 / area[t]
            w1 = dx * (y2[t] * scale)[:, None] - dy * (x2[t] * scale)[:, None]
            w2 = dy * (x1[t] * scale)[:, None] - dx * (y1[t] * scale)[:, None]
            inside = (w1 >= -1e-6) & (w2 >= -1e-6) & (w1 + w2 <= 1 + 1e-6)
            inside &= (x <= right[t][:, None]) & (y <= bottom[t][:, None])
            hit = np.flatnonzero(inside)
            owner = t[hit // (bucket * bucket)]
            w1, w2 = w1.ravel()[hit], w2.ravel()[hit]
            w0 = 1 - w1 - w2
            depth = w0 * far[i[owner]] + w1 * far[j[owner]] + w2 * far[k[owner]]
            found.append((y.ravel()[hit] * width + x.ravel()[hit], depth, owner, w0, w1))
    if not found:
        none, empty = np.zeros(0, np.int64), np.zeros(0)
        return Fragments(none, empty, none, empty, empty)
    pixel, depth, owner, first, second = (np.concatenate(each) for each in zip(*found, strict=True))
    return Fragments(pixel, depth, owner, first, second)


def _reach(start: Floats, first: Floats, second: Floats, limit: int) -> tuple[Ints, Ints]:
    """First and last pixel centre that each triangle may cover along one axis."""
    low = np.ceil(start + np.minimum(np.minimum(first, second), 0) - 1e-6)
    high = np.floor(start + np.maximum(np.maximum(first, second), 0) + 1e-6)
    return np.maximum(low, 0).astype(np.int64), np.minimum(high, limit - 1).astype(np.int64)


def depth_map(points: Floats, triangles: Ints, size: int) -> Floats:
    """Largest depth at each pixel (size · size,), -inf where nothing is."""
    hits = fragments(points, triangles, size, size)
    nearest = np.full(size * size, -np.inf)
    np.maximum.at(nearest, hits.pixel, hits.depth)
    return nearest


@dataclass(frozen=True)
class Surface:
    """What a picture sees, n covered pixels of width · height."""

    pixel: Ints  # (n,) flat index, ascending
    triangle: Ints  # (n,)
    weights: Floats  # (n, 3)
    depth: Floats  # (n,)

    def interpolate(self, values: Floats, triangles: Ints) -> Floats:
        """Vertex values (V, K) at the covered pixels (n, K)."""
        corners = triangles[self.triangle]
        out = self.weights[:, :1] * values[corners[:, 0]]
        out += self.weights[:, 1:2] * values[corners[:, 1]]
        out += self.weights[:, 2:] * values[corners[:, 2]]
        return np.asarray(out)


def visible(points: Floats, triangles: Ints, size: int, push: Floats | None = None) -> Surface:
    """The nearest triangle at each pixel of a square picture.

    `push` (T,) moves triangles back for the comparison of depths only.
    """
    hits = fragments(points, triangles, size, size)
    depth = hits.depth if push is None else hits.depth - push[hits.triangle]
    nearest = np.full(size * size, -np.inf)
    np.maximum.at(nearest, hits.pixel, depth)
    top = np.flatnonzero(depth == nearest[hits.pixel])
    winner = np.full(size * size, -1, np.int64)
    winner[hits.pixel[top]] = top
    pixel = np.flatnonzero(winner >= 0)
    chosen = winner[pixel]
    w0, w1 = hits.first[chosen], hits.second[chosen]
    return Surface(pixel, hits.triangle[chosen], np.stack([w0, w1, 1 - w0 - w1], 1), depth[chosen])
