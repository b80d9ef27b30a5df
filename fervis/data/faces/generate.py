"""Sets of rendered faces: every identity in every expression, from one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from fervis.data.faces import camera, expression, faceset, head, identity, render
from fervis.data.faces.expression import CLASSES, NEUTRAL
from fervis.data.faces.faceset import FaceSet, Person

Progress = Callable[[int, int], None]
FINE = 144  # pictures are rendered at least this large, then averaged down


def render_set(
    identities: int | Iterable[int],
    seed: int,
    size: int,
    views: int = 2,
    progress: Progress | None = None,
) -> FaceSet:
    """Render identities (a count, or numbers of one seed's endless row) × views × 7 expressions.

    Identity k of a seed is the same whatever else is rendered; same seed, same bytes. Pictures are
    (N, size, size) uint8. `progress(done, total)` counts pictures.
    """
    numbers = list(range(identities)) if isinstance(identities, int) else list(identities)
    total, sets = len(numbers) * views * len(CLASSES), []
    for done, number in enumerate(numbers):
        sets.append(render_identity(number, seed, size, views))
        if progress is not None:
            progress((done + 1) * views * len(CLASSES), total)
    return faceset.join(sets)


def render_identity(number: int, seed: int, size: int, views: int = 2) -> FaceSet:
    """All pictures of one identity: for each view, the expressions in the order of CLASSES."""
    person = identity.invent(np.random.default_rng([seed, number]))
    model = head.build(person)
    factor = max(2, -(-FINE // size))
    rest = head.pose(model, np.zeros(len(expression.units())))
    pictures, labels, places, weights, angles = [], [], [], [], []
    for place in range(views):
        rng = np.random.default_rng([seed, number, 1 + place])
        view = camera.choose(rng)
        plain = render.picture(model, rest, view, size, factor)
        for label in range(len(CLASSES)):
            posed, shot = rest, plain
            if label != NEUTRAL:
                posed = head.pose(model, expression.draw(label, rng))
                shot = render.picture(model, posed, view, size, factor, plain.film)
            pictures.append(shot)
            labels.append(label)
            places.append(place)
            weights.append(posed.weights)
            angles.append((view.yaw, view.pitch, view.roll))
    return FaceSet(
        images=np.stack([p.image for p in pictures]),
        labels=np.array(labels, np.int64),
        identities=np.full(len(labels), number, np.int64),
        views=np.array(places, np.int64),
        angles=np.array(angles, np.float32),
        motion_steps=np.stack([p.motion for p in pictures]),
        regions=np.stack([p.regions for p in pictures]),
        landmarks=np.stack([p.landmarks for p in pictures]).astype(np.float32),
        weights=np.stack(weights).astype(np.float32),
        units=expression.units(),
        people=(Person(number, person.age_group, person.gender, person.skin_tone),),
    )


def write_faces(
    identities: int,
    seed: int,
    size: int,
    out: Path,
    views: int = 2,
    progress: Progress | None = None,
) -> None:
    """Write PNG files in class folders (`happy/0007-1.png`: identity 7, view 1) and `truth.npz`.

    The truth's rows go identity by identity, view by view, in the order of CLASSES; its `files`
    names each row's picture.
    """
    from PIL import Image

    faces = render_set(identities, seed, size, views, progress)
    names = [
        f"{CLASSES[label]}/{number:04d}-{view}.png"
        for label, number, view in zip(faces.labels, faces.identities, faces.views, strict=True)
    ]
    for name in CLASSES:
        (out / name).mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, faces.images, strict=True):
        Image.fromarray(image).save(out / name)
    faceset.save(faces, out / "truth.npz", images=False, files=names)
