"""The generator: what a rendered set promises about its pictures and their truth."""

from pathlib import Path

import numpy as np
import pytest

from fervis.data import KINDS, open_dataset
from fervis.data.faces import faceset, generate, identity, truth
from fervis.data.faces.expression import CLASSES, NEUTRAL
from fervis.data.faces.faceset import FaceSet

INNER = ("nose", "mouth", "left cheek", "right cheek", "left eye", "right eye", "chin")
REGION = {name: k for k, name in enumerate(truth.NAMES)}


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return generate.render_set([3, 14], seed=2026, size=48, views=1)


def test_every_identity_is_seen_in_every_expression(faces: FaceSet) -> None:
    assert len(faces) == 2 * len(CLASSES)
    for number in (3, 14):
        assert sorted(faces.labels[faces.identities == number]) == list(range(len(CLASSES)))


def test_motion_and_change_and_weights_are_zero_for_neutral(faces: FaceSet) -> None:
    neutral = faces.labels == NEUTRAL
    assert not faces.motion[neutral].any()
    assert not faces.change[neutral].any()
    assert not faces.weights[neutral].any()
    assert faces.motion[~neutral].max((1, 2)).min() > 0.03
    assert faces.change[~neutral].max((1, 2)).min() > 0.1


def test_the_background_is_the_same_in_all_expressions(faces: FaceSet) -> None:
    empty = (faces.regions == 0) & (faces.regions[faces.neutral] == 0)
    interior = empty.copy()
    for axis in (1, 2):
        for step in (-1, 1):
            interior &= np.roll(empty, step, axis)
    assert interior.sum() > 100
    assert faces.change[interior].max() == 0
    assert faces.motion[interior].max() == 0


def test_masks_line_up_with_the_picture(faces: FaceSet) -> None:
    """Where the picture differs from its neutral twin, the face is; eyes and brows are dark."""
    changed = faces.change > 0.08
    assert (faces.regions[changed] != 0).mean() > 0.95
    for image, regions in zip(faces.images, faces.regions, strict=True):
        brows = np.isin(regions, [REGION["left brow"], REGION["right brow"]])
        forehead = np.median(image[regions == REGION["forehead"]])
        assert np.percentile(image[brows], 25) < 0.9 * forehead
    for landmark, region in (
        ("nose tip", "nose"),
        ("upper lip", "mouth"),
        ("right brow middle", "right brow"),
        ("left lower lid", "left eye"),
    ):
        at = np.round(faces.landmarks[:, truth.LANDMARKS.index(landmark)]).astype(int)
        inside = ((at >= 0) & (at < 48)).all(1)
        found = faces.regions[inside, at[inside, 1], at[inside, 0]]
        assert (found == REGION[region]).mean() > 0.85, landmark


def test_an_opened_mouth_counts_as_change_where_the_mouth_is(faces: FaceSet) -> None:
    surprised = faces.labels == CLASSES.index("surprise")
    mouth = faces.regions[surprised] == REGION["mouth"]
    assert faces.change[surprised][mouth].mean() > 3 * faces.change[surprised][~mouth].mean()


def test_regions_cover_the_face_and_nothing_else(faces: FaceSet) -> None:
    for regions in faces.regions:
        seen = set(np.unique(regions))
        for name in ("left eye", "right eye", "left brow", "right brow", "nose", "mouth",
                     "left cheek", "right cheek", "forehead", "chin"):  # fmt: skip
            assert REGION[name] in seen, name
        inner = np.isin(regions, [REGION[name] for name in INNER])
        for row, face in zip(regions, inner, strict=True):
            at = np.flatnonzero(face)
            assert not len(at) or row[at[0] : at[-1]].all()


def test_left_and_right_are_the_persons_own(faces: FaceSet) -> None:
    """The person faces us: the left eye is on the picture's right."""
    for regions in faces.regions:
        for part in truth.SIDED[:3]:
            left = np.nonzero(regions == REGION[f"left {part}"])[1].mean()
            right = np.nonzero(regions == REGION[f"right {part}"])[1].mean()
            assert left > right, part
    left = truth.LANDMARKS.index("left mouth corner")
    assert (faces.landmarks[:, left, 0] > faces.landmarks[:, left + 1, 0]).all()


def test_the_chin_is_above_the_neck(faces: FaceSet) -> None:
    for regions in faces.regions:
        for column in regions.T:
            chin, neck = (np.flatnonzero(column == REGION[name]) for name in ("chin", "neck"))
            assert not (len(chin) and len(neck)) or chin.max() < neck.min()


def test_same_seed_same_bytes(faces: FaceSet, tmp_path: Path) -> None:
    """An identity does not depend on who is rendered with it."""
    alone = generate.render_set([14], seed=2026, size=48, views=1)
    for name, one in (("alone", alone), ("among others", faces.only(frozenset({14})))):
        faceset.save(one, tmp_path / name)
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "among others").read_bytes()


def test_seeds_and_numbers_tell_people_apart() -> None:
    people = [identity.invent(np.random.default_rng(key)) for key in ([1, 2], [2, 1], [1, 3])]
    assert len({(person.skin, person.weight, person.iris) for person in people}) == 3


def test_a_saved_set_is_read_back_whole(faces: FaceSet, tmp_path: Path) -> None:
    faceset.save(faces, tmp_path / "faces.npz")
    again = faceset.load(tmp_path / "faces.npz")
    for name in faceset.ARRAYS:
        np.testing.assert_allclose(getattr(again, name), getattr(faces, name), atol=0.01)
    assert again.people == faces.people
    assert again.units == faces.units


def test_written_faces_are_pictures_in_class_folders_beside_their_truth(tmp_path: Path) -> None:
    from PIL import Image

    calls: list[tuple[int, int]] = []
    generate.write_faces(1, 7, 40, tmp_path, views=1, progress=lambda *at: calls.append(at))
    with np.load(tmp_path / "truth.npz") as known:
        files, labels, motion = known["files"], known["labels"], known["motion"]
    assert [name.split("/")[0] for name in files] == [CLASSES[label] for label in labels]
    assert motion.shape == (7, 40, 40)
    for name in files:
        with Image.open(tmp_path / name) as picture:
            assert picture.size == (40, 40)
            assert picture.mode == "L"
    assert calls == [(7, 7)]
    folder = KINDS["folder"].model_validate({"kind": "folder", "path": "."})
    data = open_dataset(folder, folder=tmp_path, cache=tmp_path / ".c", size=(40, 40), channels=1)
    assert len(data) == 7
