"""The shipped set: its size, its split, its balance."""

from collections import Counter

import numpy as np
import pytest

from fervis.data.faces import assets, generate, shipped, truth
from fervis.data.faces.expression import CLASSES, NEUTRAL
from fervis.data.faces.faceset import FaceSet


@pytest.fixture(scope="module", params=["train", "test"])
def split(request: pytest.FixtureRequest) -> FaceSet:
    return shipped.load(request.param)


def test_splits_share_no_identity() -> None:
    train, test = shipped.load("train"), shipped.load("test")
    assert not set(train.identities) & set(test.identities)
    assert len(set(train.identities)) == 40
    assert len(set(test.identities)) == 24
    assert len(train) + len(test) == 64 * 7 * 2


def test_files_stay_within_their_budget() -> None:
    assert shipped.PATH.stat().st_size <= 5_000_000
    assert assets.PATH.stat().st_size <= 1_500_000


def test_every_class_is_equally_frequent(split: FaceSet) -> None:
    assert len(set(Counter(split.labels.tolist()).values())) == 1
    assert split.images.shape[1:] == (48, 48)
    assert split.images.dtype == np.uint8


def test_both_splits_hold_all_ages_genders_and_skin_tones(split: FaceSet) -> None:
    people = split.people
    share = Counter(p.skin_tone for p in people)
    assert min(share[tone] for tone in ("light", "medium", "dark")) >= len(people) // 4
    assert min(Counter(p.gender for p in people).values()) >= 0.4 * len(people)
    ages = Counter(p.age_group for p in people)
    assert min(ages[age] for age in ("child", "young adult", "middle-aged", "older")) >= 4


def test_truth_is_zero_for_neutral(split: FaceSet) -> None:
    neutral = split.labels == NEUTRAL
    assert not split.motion[neutral].any()
    assert not split.change[neutral].any()
    assert not split.weights[neutral].any()
    assert split.weights[~neutral].any(1).all()


def test_motion_tells_where_the_expression_is(split: FaceSet) -> None:
    """A smile moves the cheeks and the mouth, and hardly the forehead."""
    happy = split.labels == CLASSES.index("happy")
    regions, motion = split.regions[happy], split.motion[happy]
    names = truth.NAMES
    mouth = motion[regions == names.index("mouth")].mean()
    forehead = motion[regions == names.index("forehead")].mean()
    assert mouth > 5 * forehead


def test_a_shipped_identity_renders_again_to_the_same_pictures() -> None:
    """Rounding may differ between processors by a grey level here and there, not more."""
    number = min(shipped.TEST)
    again = generate.render_set([number], shipped.SEED, shipped.SIZE, views=1)
    kept = shipped.load("test").only(frozenset({number}))
    first = kept.views == 0
    apart = np.abs(again.images.astype(int) - kept.images[first])
    assert (apart > 1).mean() < 0.002
    assert (again.regions != kept.regions[first]).mean() < 0.002


@pytest.mark.parametrize("split", ["train", "test"])
def test_pictures_alone_are_those_of_the_whole_set(split):
    images, labels = shipped.pictures(split)
    whole = shipped.load(split)
    assert (images == whole.images).all()
    assert (labels == whole.labels).all()
    assert labels.dtype == whole.labels.dtype
