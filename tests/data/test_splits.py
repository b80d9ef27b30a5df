"""Which split is meant, and the held-out share."""

from __future__ import annotations

import numpy as np
import pytest

from fervis.data.splits import held_out
from fervis.errors import DataError
from tests.data.make import course, kaggle, noise

USAGES = ["Training"] * 20 + ["PublicTest"] * 3


def test_the_public_test_is_meant_where_no_split_is_named(opener):
    (opener.folder / "fer.csv").write_text(kaggle(noise(23), [0] * 23, USAGES))
    assert opener("fer2013", "fer.csv").split == "PublicTest"
    assert opener("fer2013", "fer.csv", split="Training").split == "Training"


def test_an_unknown_split_names_those_there_are(opener):
    (opener.folder / "fer.csv").write_text(kaggle(noise(23), [0] * 23, USAGES))
    with pytest.raises(
        DataError,
        match=(
            r"no split 'publictest'; there is Training \(20\), PublicTest \(3\), train or heldout "
            r"\(did you mean PublicTest\?\)"
        ),
    ):
        opener("fer2013", "fer.csv", split="publictest")


def test_held_out_pictures_come_from_the_training_part(opener):
    images = noise(23)
    (opener.folder / "fer.csv").write_text(kaggle(images, [0] * 20 + [1] * 3, USAGES))
    train, heldout = (
        opener("fer2013", "fer.csv", split=split, held_out=0.25) for split in ("train", "heldout")
    )
    assert (len(train), len(heldout)) == (15, 5)
    assert set(train.labels) == set(heldout.labels) == {0}
    both = np.concatenate([train.images, heldout.images])[..., 0]
    assert sorted(image.tobytes() for image in both) == sorted(i.tobytes() for i in images[:20])


def test_the_share_is_the_same_every_time_and_another_for_another_seed():
    images = np.arange(200, dtype=np.uint8)[:, None, None]
    chosen = held_out(images, 0.1, 0)
    assert chosen.sum() == 20
    assert (held_out(images, 0.1, 0) == chosen).all()
    assert (held_out(images, 0.1, 1) != chosen).any()
    assert np.flatnonzero(chosen)[:4].tolist() == EXPECTED


EXPECTED = [5, 12, 22, 33]  # by SHA-256, which never changes


def test_the_share_does_not_depend_on_the_order_of_rows():
    images = noise(200)
    assert (held_out(images[::-1], 0.1, 0)[::-1] == held_out(images, 0.1, 0)).all()


def test_equal_pictures_are_never_on_both_sides():
    images = np.concatenate([noise(50)] * 3)
    chosen = held_out(images, 0.2, 0).reshape(3, 50)
    assert (chosen == chosen[0]).all()


def test_at_least_one_picture_is_held_out(opener):
    assert held_out(noise(3), 0.01, 0).sum() == 1
    (opener.folder / "one.csv").write_text(course(noise(1), [0]))
    assert len(opener("fer2013", "one.csv", split="heldout")) == 1
    with pytest.raises(DataError, match="leaves no picture for train"):
        opener("fer2013", "one.csv", split="train")
