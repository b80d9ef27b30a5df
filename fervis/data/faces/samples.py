"""What the camera sees: the points of the head under the covered pixels of one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fervis.data.faces import assets, camera
from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.head import Head, Posed
from fervis.data.faces.raster import Surface, visible

MOUTH_PUSH = 0.09  # dm by which teeth and tongue stand back, so as never to poke through the lips


@dataclass(frozen=True)
class Samples:
    """n points, one per covered pixel."""

    surface: Surface
    part: Ints  # (n,)
    rest: Floats  # (n, 3)
    normal: Floats  # (n, 3) unit length
    light: Floats  # (n,) irradiance
    key: Floats  # (n,) how much of the key light arrives, 0 … 1
    open: Floats  # (n,) how much of the whole sky arrives, 0 … 1
    lips: Floats  # (n,) 0 … 1, as the masks below
    inside: Floats  # (n,) mouth lining
    hair: Floats  # (n,)
    ears: Floats  # (n,)
    motion: Floats  # (n,) in distances between the eyes

    @property
    def face(self) -> Ints:
        """Points of bare facial skin, on which exposure is set."""
        bare = (self.part == assets.BODY) & (self.hair < 0.2)
        _, y, z = self.rest.T
        return np.flatnonzero(bare & (z > 0.8) & (y > 6.2) & (y < 7.9))


def look(
    head: Head, posed: Posed, projection: camera.Projection, given: Floats, lobe: Floats, size: int
) -> Samples:
    """Points seen in a size × size picture; `given` and `lobe` (D,) as from `light.weights`."""
    points = projection(posed.vertices)
    push = np.where(np.isin(head.part, (assets.TEETH, assets.TONGUE)), MOUTH_PUSH, 0.0)
    front = _facing(points, head)
    triangles = head.triangles[front]
    surface = visible(points, triangles, size, push[front])
    columns = [
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
    seen = surface.interpolate(np.column_stack(columns), triangles)
    rest, normal = seen[:, :3].copy(), seen[:, 3:6].copy()
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    return Samples(surface, head.part[front][surface.triangle], rest, normal, *seen[:, 6:].T)


def _facing(points: Floats, head: Head) -> Ints:
    """Triangles that turn their outer side to the camera, and both sides of open sheets."""
    a, b, c = (points[head.triangles[:, k], :2] for k in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
    return np.flatnonzero((area < 0) | np.isin(head.part, assets.SHEETS))
