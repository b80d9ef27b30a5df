"""Where the camera stands and how the light falls: all that one view of a person fixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fervis.data.faces.assets import Floats
from fervis.data.faces.head import Head
from fervis.data.faces.light import Lamp

DISTANCE = 8.5  # dm from the camera to the pivot between the eyes
PIVOT_BACK = (0.0, 0.25, 0.9)
EYES_APART, EYES_TO_MOUTH, FACE_HEIGHT = 0.322, 0.40, 0.575  # shares of the picture


@dataclass(frozen=True)
class View:
    """One camera and one light, the same for all expressions of a person. Degrees and shares."""

    seed: int
    yaw: float  # positive: the person turns to the picture's right
    pitch: float  # positive: the head bows
    roll: float
    scale: float
    shift: tuple[float, float]
    gaze: tuple[float, float]  # degrees away from the camera: right, up
    lamp: Lamp
    exposure: float
    contrast: float  # spread of the neutral face's greys, 5th to 95th percentile


def choose(rng: np.random.Generator) -> View:
    """Draw a view: near frontal, lit from anywhere in front, as snapshots are."""
    side = rng.normal(0, 38)
    return View(
        seed=int(rng.integers(1 << 30)),
        yaw=round(float(np.clip(rng.normal(0, 10), -24, 24)), 2),
        pitch=round(float(np.clip(rng.normal(1, 4.5), -9, 11)), 2),
        roll=round(float(np.clip(rng.normal(0, 4), -10, 10)), 2),
        scale=float(np.clip(rng.normal(0.98, 0.045), 0.88, 1.08)),
        shift=(
            float(np.clip(rng.normal(0, 0.018), -0.04, 0.04)),
            float(np.clip(rng.normal(0, 0.015), -0.03, 0.03)),
        ),
        gaze=(float(rng.normal(0, 2.5)), float(rng.normal(0, 1.5))),
        lamp=Lamp(
            yaw=float(np.clip(side, -75, 75)),
            pitch=float(np.clip(rng.normal(32, 14), -5, 62)),
            key=1.0,
            sky=float(rng.uniform(0.18, 0.6)),
            hardness=float(rng.uniform(6, 18)),
        ),
        exposure=float(rng.normal(0, 0.035)),
        contrast=float(rng.uniform(0.36, 0.52)),
    )


def rotation(view: View) -> Floats:
    """Head space → camera space, (3, 3)."""
    y, p, r = np.radians([view.yaw, view.pitch, view.roll])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(np.einsum("ij,jk,kl->il", roll, pitch, yaw))


@dataclass(frozen=True)
class Projection:
    """Head space → pixels, framed on the neutral face so that it holds for every expression."""

    matrix: Floats  # (3, 3)
    pivot: Floats  # (3,)
    zoom: float
    offset: Floats  # (2,)

    def turned(self, vertices: Floats) -> Floats:
        """Camera-space coordinates (V, 3) of vertices (V, 3)."""
        return np.asarray(np.einsum("vj,ij->vi", vertices - self.pivot, self.matrix))

    def __call__(self, vertices: Floats) -> Floats:
        """Column, row (pixel centres are whole numbers) and depth (V, 3) of vertices (V, 3)."""
        q = self.turned(vertices)
        k = self.zoom / (DISTANCE - q[:, 2])
        return np.column_stack(
            [q[:, 0] * k + self.offset[0], -q[:, 1] * k + self.offset[1], q[:, 2]]
        )


def project(head: Head, view: View, size: int) -> Projection:
    """The projection of a view onto size × size pixels."""
    to_mouth = float(np.hypot(*(head.eyes - head.mouth)[:2]))
    zoom = (
        size
        * view.scale
        / max(head.between_eyes / EYES_APART, to_mouth / EYES_TO_MOUTH)
        * (DISTANCE - 0.6)
    )
    plain = Projection(rotation(view), head.eyes - np.array(PIVOT_BACK), zoom, np.zeros(2))
    anchor = plain(((head.eyes + head.mouth) / 2)[None])[0, :2]
    aim = size * np.array([0.5 + view.shift[0], FACE_HEIGHT + view.shift[1]]) - 0.5
    return Projection(plain.matrix, plain.pivot, zoom, aim - anchor)
