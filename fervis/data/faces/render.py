"""One picture of one posed head, with what it knows about itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces import camera, film, light, samples, shade, truth
from fervis.data.faces.assets import Floats
from fervis.data.faces.background import background
from fervis.data.faces.camera import View
from fervis.data.faces.film import Film
from fervis.data.faces.head import Head, Posed
from fervis.data.faces.raster import Surface, visible

Bytes = NDArray[np.uint8]
LASH_DEPTH = 0.02  # dm by which a lash may lie behind the lid and still be seen
LASH_SHADE = 0.7


@dataclass(frozen=True)
class Picture:
    """A rendered face of S × S pixels."""

    image: Bytes  # (S, S)
    motion: Bytes  # (S, S), a step is 1 / truth.MOTION_STEPS of the distance between the eyes
    regions: Bytes  # (S, S) indices into truth.REGIONS
    landmarks: Floats  # (L, 2) column and row in pixels
    film: Film


def picture(
    head: Head, posed: Posed, view: View, size: int, factor: int, developed: Film | None = None
) -> Picture:
    """Render at size · factor and average down to size × size.

    The neutral picture of a view is rendered first, without `developed`; its film is passed on to
    the expressions of the same view.
    """
    big = size * factor
    projection = camera.project(head, view, big)
    given, lobe, key = light.weights(view.lamp, projection.matrix)
    seen = samples.look(head, posed, projection, given, lobe, big)
    radiance = shade.radiance(head, posed, view, seen, key, projection.matrix)
    exposed = developed or film.develop(head.person, view, radiance[seen.face])

    pixel = seen.surface.pixel
    values = np.ascontiguousarray(background(np.random.default_rng([view.seed, 1]), big)).ravel()
    values[pixel] = film.grey(radiance, exposed)
    values *= 1 - _lashes(head, projection(posed.vertices), seen.surface, big)
    regions, motion = np.zeros(big * big, np.uint8), np.zeros(big * big)
    regions[pixel] = truth.regions(seen)
    motion[pixel] = seen.motion
    steps = truth.LANDMARK_STEPS
    spots = projection(posed.vertices[truth.landmark_vertices()])[:, :2]
    return Picture(
        image=_bytes(truth.average(values.reshape(big, big), factor) * 255),
        motion=_bytes(truth.average(motion.reshape(big, big), factor) * truth.MOTION_STEPS),
        regions=truth.majority(regions.reshape(big, big), factor),
        landmarks=np.round(((spots + 0.5) / factor - 0.5) * steps) / steps,
        film=exposed,
    )


def _bytes(values: Floats) -> Bytes:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _lashes(head: Head, points: Floats, surface: Surface, size: int) -> Floats:
    """Share of light that lashes take from each pixel (size · size,)."""
    out = np.zeros(size * size)
    behind = np.full(size * size, -np.inf)
    behind[surface.pixel] = surface.depth
    lash = visible(points, head.lashes, size)
    seen = lash.depth > behind[lash.pixel] - LASH_DEPTH
    out[lash.pixel[seen]] = LASH_SHADE * head.person.lashes
    return out
