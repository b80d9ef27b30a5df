"""Pictures brought to the network's size and channels."""

from __future__ import annotations

import numpy as np
import pytest

from fervis.data.dataset import Dataset, GroundTruth
from fervis.data.fit import fitted
from fervis.data.store import Store
from fervis.text import Text
from tests.data.make import noise


def dataset(images: np.ndarray, truth: GroundTruth | None = None) -> Dataset:
    labels = np.arange(len(images))
    return Dataset(
        images,
        labels,
        (Text.same("a"),),
        "test",
        "digest of all",
        True,
        truth=truth and (lambda: truth),
        places=tuple(map(str, labels)),
    )


def blocks(height: int, width: int) -> np.ndarray:
    """One picture, left half black, right half white."""
    image = np.zeros((1, height, width, 1), np.uint8)
    image[:, :, width // 2 :] = 255
    return image


def test_a_data_set_that_fits_is_left_as_it_is(tmp_path):
    one = dataset(noise(3)[..., None])
    two = fitted(one, (48, 48), 1, "crop", Store(tmp_path))
    assert two.images is one.images
    assert (two.digest, dict(two.notes)) == (one.digest, {})
    assert not list(tmp_path.iterdir())


def test_gray_becomes_three_channels_without_taking_space(tmp_path):
    one = dataset(noise(3)[..., None])
    three = fitted(one, (48, 48), 3, "crop", Store(tmp_path))
    assert three.images.shape == (3, 48, 48, 3)
    assert (three.images == one.images).all()
    assert np.shares_memory(three.images, one.images)
    assert three.digest != one.digest
    assert "3 channels" in three.notes["channels"]


def test_colour_becomes_gray(tmp_path):
    images = np.full((2, 48, 48, 3), (200, 100, 50), np.uint8)
    gray = fitted(dataset(images), (48, 48), 1, "crop", Store(tmp_path))
    assert gray.images.shape == (2, 48, 48, 1)
    assert (gray.images == 124).all()
    assert "luma" in gray.notes["channels"]


def test_resizing_keeps_everything_else_and_says_so(tmp_path):
    one = dataset(noise(300)[..., None])
    two = fitted(one, (64, 64), 1, "crop", Store(tmp_path))
    assert two.images.shape == (300, 64, 64, 1)
    assert two.labels.tolist() == one.labels.tolist()
    assert two.places == one.places
    assert two.notes["size"] == "48×48 resized to 64×64"
    again = fitted(one, (64, 64), 1, "crop", Store(tmp_path))
    assert again.digest == two.digest
    assert isinstance(again.images, np.memmap)


def test_shrinking_is_antialiased(tmp_path):
    board = np.indices((48, 48)).sum(0) % 2 * 255
    small = fitted(
        dataset(board[None, ..., None].astype(np.uint8)), (12, 12), 1, "crop", Store(tmp_path)
    )
    assert abs(small.images[:, 2:-2, 2:-2].astype(int) - 127).max() < 8


@pytest.mark.parametrize(
    ("fit", "row"),
    [
        ("crop", [0, 0, 0, 0, 255, 255, 255, 255]),
        ("stretch", [0, 0, 0, 0, 255, 255, 255, 255]),
        ("pad", None),
    ],
)
def test_another_shape_is_cut_stretched_or_padded(tmp_path, fit, row):
    found = fitted(dataset(blocks(40, 80)), (8, 8), 1, fit, Store(tmp_path)).images[0, ..., 0]
    if row is not None:
        assert (found[4] > 127).tolist() == [value > 127 for value in row]
    else:
        assert not found[:2].any()
        assert not found[-2:].any()
        assert found[4, 7] == 255


def test_crop_keeps_the_middle_and_stretch_keeps_all(tmp_path):
    image = np.zeros((1, 8, 24, 1), np.uint8)
    image[:, :, :8] = 255
    store = Store(tmp_path)
    assert not fitted(dataset(image), (8, 8), 1, "crop", store).images[0, :, 2:].any()
    assert fitted(dataset(image), (8, 8), 1, "stretch", store).images[0, 4, 0, 0] == 255


def test_ground_truth_is_resized_with_its_pictures(tmp_path):
    regions = np.zeros((2, 48, 48), np.uint8)
    regions[:, 24:] = 7
    flat = np.full((2, 48, 48), 0.25, np.float32)
    truth = GroundTruth(flat, flat * 2, regions, (Text.same("x"),) * 8)
    wide = fitted(dataset(noise(2)[..., None], truth), (96, 96), 1, "crop", Store(tmp_path))
    found = wide.truth()
    assert np.allclose(found.motion, 0.25, atol=1e-6)
    assert np.allclose(found.change, 0.5, atol=1e-6)
    assert found.motion.dtype == np.float32
    assert set(found.regions.ravel()) == {0, 7}
    assert (found.regions[:, 48:] == 7).all()
