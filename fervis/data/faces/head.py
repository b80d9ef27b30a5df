"""A head ready for its picture: skin, eyes, teeth, lashes and hair, neutral or posed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fervis.data.faces import assets, expression, hair, identity, light
from fervis.data.faces.assets import Floats, Ints
from fervis.data.faces.identity import Identity


@dataclass(frozen=True)
class Head:
    """What all expressions of one person share; V vertices, T triangles."""

    person: Identity
    neutral: Floats  # (V, 3)
    rest: Floats  # (V, 3), strand coordinates where the part is HAIR
    triangles: Ints  # (T, 3)
    part: Ints  # (T,)
    covered: Floats  # (V,) scalp under hair
    lips: Floats  # (V,)
    inside: Floats  # (V,)
    ears: Floats  # (V,)
    lashes: Ints  # (L, 3) drawn over the rest
    skin_vertices: int  # vertices of the assets; the rest is falling hair
    swelling: Floats  # (V, 3)
    between_eyes: float  # dm
    eyes: Floats  # (3,) their middle
    mouth: Floats  # (3,)


@dataclass(frozen=True)
class Posed:
    """A head under one expression."""

    weights: Floats  # (U,)
    vertices: Floats  # (V, 3)
    normals: Floats  # (V, 3)
    reached: Floats  # (V, D)
    transfer: Floats  # (V, D)
    motion: Floats  # (V,) distance from neutral, in distances between the eyes


def build(person: Identity) -> Head:
    """The neutral head of a person."""
    pack = assets.load()
    bare = identity.shape(person)
    covered = np.where(pack.vertex_part == assets.BODY, hair.mask(pack.rest, person), 0.0)
    covered *= 1 - pack.ears
    thick = hair.swelling(pack.rest, covered, person)
    normal = light.normals(bare, pack.triangles)
    solid = pack.part != assets.LASH
    triangles, part = pack.triangles[solid], pack.part[solid]
    swelling = normal * thick[:, None]
    teeth = pack.vertex_part == assets.TEETH
    swelling[teeth] -= bare[teeth] * [0.12, 0.0, 0.0] + [0.0, 0.0, 0.035]
    swelling[pack.vertex_part == assets.TONGUE, 2] -= 0.02
    rest, count = pack.rest, len(pack.rest)
    fall = hair.locks(bare, person)
    neutral = bare
    if fall is not None:
        triangles = np.concatenate([triangles, fall.triangles + count])
        part = np.concatenate([part, np.full(len(fall.triangles), assets.HAIR)])
        rest = np.concatenate([rest, fall.strand])
        neutral = np.concatenate([bare, fall.vertices])
    extra = len(rest) - count

    def padded(values: Floats) -> Floats:
        return np.concatenate([values, np.zeros((extra, *values.shape[1:]))])

    eye = pack.vertex_part == assets.EYE
    left, right = (bare[eye & (sign * pack.rest[:, 0] > 0)].mean(0) for sign in (1, -1))
    lip = np.linalg.norm(pack.rest - [0, 6.66, 1.55], axis=1) + 9.0 * (
        pack.vertex_part != assets.BODY
    )
    return Head(
        person=person,
        neutral=neutral,
        rest=rest,
        triangles=triangles,
        part=part,
        covered=padded(covered),
        lips=padded(pack.lips),
        inside=padded(pack.inside_mouth),
        ears=padded(pack.ears),
        lashes=pack.triangles[~solid],
        skin_vertices=count,
        swelling=padded(swelling),
        between_eyes=float(np.abs(left[0] - right[0])),
        eyes=(left + right) / 2,
        mouth=bare[int(lip.argmin())],
    )


def pose(head: Head, weights: Floats) -> Posed:
    """The head under unit weights (U,), with the light that reaches it."""
    count = head.skin_vertices
    vertices = head.neutral.copy()
    vertices[:count] = expression.pose(head.neutral[:count], weights)
    motion = np.linalg.norm(vertices - head.neutral, axis=1) / head.between_eyes
    vertices = vertices + head.swelling
    normals = light.normals(vertices, head.triangles)
    reached = light.reach(vertices, head.triangles, np.isin(head.part, assets.SHEETS))
    transfer = light.transfer(reached, normals)
    return Posed(weights, vertices, normals, reached, transfer, motion)
