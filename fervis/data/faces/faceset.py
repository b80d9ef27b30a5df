"""A set of rendered faces with everything that is known about each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from fervis.data.faces import truth
from fervis.data.faces.expression import CLASSES, NEUTRAL

Bytes = NDArray[np.uint8]
WEIGHT_STEPS = 1000


@dataclass(frozen=True)
class Person:
    """Attributes of one invented identity, as rendered."""

    number: int
    age_group: str
    gender: str
    skin_tone: str


@dataclass(frozen=True)
class FaceSet:
    """N pictures of S × S pixels; every array's first axis is the picture."""

    images: Bytes  # (N, S, S) grey
    labels: NDArray[np.int64]  # (N,) indices into CLASSES
    identities: NDArray[np.int64]  # (N,) numbers of people
    views: NDArray[np.int64]  # (N,) which of the identity's views
    angles: NDArray[np.float32]  # (N, 3) yaw, pitch, roll in degrees
    motion_steps: Bytes  # (N, S, S)
    regions: Bytes  # (N, S, S) indices into truth.REGIONS
    landmarks: NDArray[
        np.float32
    ]  # (N, L, 2) column, row in pixels, in the order of truth.LANDMARKS
    weights: NDArray[np.float32]  # (N, U) face units, in the order of `units`
    units: tuple[str, ...]
    people: tuple[Person, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def motion(self) -> NDArray[np.float32]:
        """How far the skin moved from neutral, (N, S, S) in distances between the eyes."""
        return self.motion_steps.astype(np.float32) / np.float32(truth.MOTION_STEPS)

    @property
    def neutral(self) -> NDArray[np.int64]:
        """Index (N,) of each picture's neutral twin: same identity, same view, same light."""
        key = list(zip(self.identities.tolist(), self.views.tolist(), strict=True))
        twin = {k: n for n, k in enumerate(key) if self.labels[n] == NEUTRAL}
        return np.array([twin[k] for k in key], np.int64)

    @property
    def change(self) -> NDArray[np.float32]:
        """Absolute difference from the neutral twin, (N, S, S) in 0 … 1.

        Counts all that the eye sees: motion, wrinkles, opened mouths, shadows.
        """
        apart = self.images.astype(np.float32) - self.images[self.neutral].astype(np.float32)
        return np.asarray(np.abs(apart) / np.float32(255), np.float32)

    def person(self, index: int) -> Person:
        """Who picture `index` shows."""
        number = int(self.identities[index])
        return next(person for person in self.people if person.number == number)

    def only(self, numbers: frozenset[int]) -> FaceSet:
        """The pictures of some identities, all their expressions and views."""
        chosen = np.flatnonzero(np.isin(self.identities, sorted(numbers)))
        arrays: dict[str, Any] = {name: getattr(self, name)[chosen] for name in ARRAYS}
        return replace(self, people=tuple(p for p in self.people if p.number in numbers), **arrays)


ARRAYS = tuple(f.name for f in fields(FaceSet) if f.name not in ("units", "people"))


def join(sets: list[FaceSet]) -> FaceSet:
    """Sets of different identities as one."""
    first = sets[0]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in sets]) for name in ARRAYS
    }
    return replace(first, people=tuple(p for one in sets for p in one.people), **arrays)


def save(faces: FaceSet, path: Path, images: bool = True, files: Sequence[str] = ()) -> None:
    """Write a set as an npz, with the names of its files; same set, same bytes.

    Pictures, of which a report reads nothing else, are not compressed.
    """
    arrays: dict[str, NDArray[np.generic]] = {
        "labels": faces.labels.astype(np.uint8),
        "identities": faces.identities.astype(np.uint32),
        "views": faces.views.astype(np.uint8),
        "angles": faces.angles,
        "motion": faces.motion_steps,
        "regions": faces.regions,
        "landmarks": np.round(faces.landmarks * truth.LANDMARK_STEPS).astype(np.int32),
        "weights": np.round(faces.weights * WEIGHT_STEPS).astype(np.uint16),
        "units": np.array(faces.units),
        "classes": np.array(CLASSES),
        "region_names": np.array(truth.REGIONS),
        "landmark_names": np.array(truth.LANDMARKS),
        "people": np.array(
            [(str(p.number), p.age_group, p.gender, p.skin_tone) for p in faces.people]
        ),
    }
    if files:
        arrays["files"] = np.array(files)
    if images:
        arrays["images"] = faces.images
    with ZipFile(path, "w", ZIP_DEFLATED) as pack:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy")  # of 1980, whenever it is written
            member.compress_type = ZIP_STORED if name in ("images", "labels") else ZIP_DEFLATED
            with pack.open(member, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def load(path: Path) -> FaceSet:
    """Read a set that `save` wrote with its images."""
    with np.load(path, allow_pickle=False) as pack:
        return FaceSet(
            images=pack["images"],
            labels=pack["labels"].astype(np.int64),
            identities=pack["identities"].astype(np.int64),
            views=pack["views"].astype(np.int64),
            angles=pack["angles"],
            motion_steps=pack["motion"],
            regions=pack["regions"],
            landmarks=pack["landmarks"].astype(np.float32) / truth.LANDMARK_STEPS,
            weights=pack["weights"].astype(np.float32) / WEIGHT_STEPS,
            units=tuple(pack["units"].tolist()),
            people=tuple(
                Person(int(number), age, gender, tone)
                for number, age, gender, tone in pack["people"].tolist()
            ),
        )
