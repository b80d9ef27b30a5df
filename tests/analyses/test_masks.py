import numpy as np
import pytest

from fervis.analyses._masks import (
    balanced_masks,
    balanced_shares,
    hadamard,
    order_for,
    random_masks,
)


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
    masks = balanced_masks(1 + 128, 54, np.random.default_rng(0))
    np.testing.assert_array_equal(masks[1::2], 1 - masks[2::2])


def test_a_whole_block_is_orthogonal_and_free_of_interactions():
    signs = balanced_masks(1 + 128, 40, np.random.default_rng(1))[1:].astype(int) * 2 - 1
    np.testing.assert_array_equal(signs.T @ signs, 128 * np.eye(40, dtype=int))
    products = signs[:, :, None] * signs[:, None, :]
    assert not np.einsum("si,sjk->ijk", signs, products).any()


def test_blocks_differ_and_repeat_with_their_seed():
    first, again, other = (balanced_masks(600, 20, np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[1:65] != first[65:129]).any()


@pytest.mark.parametrize(("features", "order"), [(2, 4), (3, 4), (4, 8), (63, 64), (64, 128)])
def test_a_matrix_has_a_column_for_every_feature(features, order):
    assert order_for(features) == order


@pytest.mark.parametrize("samples", [30, 383, 384, 512, 1000, 5000])
def test_samples_are_divided_in_whole_blocks_where_there_are_enough(samples):
    shares = balanced_shares(samples, 54)
    assert sum(shares) == samples
    assert 3 <= len(shares) <= 8
    if samples >= 3 * 128:
        assert all(share % 128 == 0 for share in shares[:-1])
