import numpy as np
import pytest

from fervis.analyses._masks import balanced_masks, hadamard, random_masks


@pytest.mark.parametrize("design", [balanced_masks, random_masks])
@pytest.mark.parametrize(("samples", "features"), [(10, 3), (257, 127), (300, 128), (600, 54)])
def test_a_design_has_its_size_and_begins_with_the_whole_picture(design, samples, features):
    masks = design(samples, features, np.random.default_rng(0))
    assert masks.shape == (samples, features)
    assert masks[0].all()
    assert set(np.unique(masks)) <= {0, 1}


def test_columns_of_a_hadamard_matrix_are_orthogonal():
    matrix = hadamard(64).astype(int)
    np.testing.assert_array_equal(matrix.T @ matrix, 64 * np.eye(64, dtype=int))


def test_every_mask_is_followed_by_its_complement():
    masks = balanced_masks(1 + 256, 54, np.random.default_rng(0))
    np.testing.assert_array_equal(masks[1::2], 1 - masks[2::2])


def test_a_whole_block_is_orthogonal_and_free_of_interactions():
    signs = balanced_masks(1 + 256, 40, np.random.default_rng(1))[1:].astype(int) * 2 - 1
    np.testing.assert_array_equal(signs.T @ signs, 256 * np.eye(40, dtype=int))
    products = signs[:, :, None] * signs[:, None, :]
    assert not np.einsum("si,sjk->ijk", signs, products).any()


def test_blocks_differ_and_repeat_with_their_seed():
    first, again, other = (balanced_masks(600, 20, np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[1:257] != first[257:513]).any()
