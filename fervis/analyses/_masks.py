"""Which segments LIME hides together: the rows of its design matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.uint8]

SEEDS, MOST_SEEDS = 3, 8


def random_masks(samples: int, features: int, rng: np.random.Generator) -> Masks:
    """The design of the lime package: (samples, features) of 0 and 1, each a fair coin.

    Row 0 is all ones: the picture itself, from which distances are measured.
    """
    masks = rng.integers(0, 2, (samples, features), dtype=np.uint8)
    masks[0] = 1
    return masks


def balanced_masks(samples: int, features: int, rng: np.random.Generator) -> Masks:
    """A folded-over Hadamard design: (samples, features) of 0 and 1, row 0 all ones.

    Columns of a Hadamard matrix, chosen, ordered and inverted at random, are uncorrelated, and
    each row is followed by its complement, so that the effect of two segments together can never
    pass for the effect of one (Box, Wilson 1951, section 3). As many such blocks as needed follow
    each other, the last one cut.
    """
    order = order_for(features)
    signs = hadamard(order)[:, 1:]
    blocks = [np.ones((1, features), np.uint8)]
    for _ in range(0, samples - 1, 2 * order):
        columns = rng.permutation(order - 1)[:features]
        flips = rng.choice(np.array([-1, 1], np.int8), features)
        block = (signs[rng.permutation(order)][:, columns] * flips > 0).astype(np.uint8)
        blocks.append(np.stack([block, 1 - block], axis=1).reshape(-1, features))
    return np.concatenate(blocks)[:samples]


def order_for(features: int) -> int:
    """Of the smallest Hadamard matrix that has a column for each feature, beside the first."""
    return 1 << features.bit_length()


def balanced_shares(samples: int, features: int) -> list[int]:
    """How ``samples`` are divided between seeds: in whole blocks if there are three.

    A block that is cut is no longer balanced. With fewer, three seeds have a third each.
    """
    block = 2 * order_for(features)
    whole = samples // block
    if whole < SEEDS:
        return equal_shares(samples)
    seeds = min(whole, MOST_SEEDS)
    shares = [block * (whole // seeds + (seed < whole % seeds)) for seed in range(seeds)]
    shares[-1] += samples % block
    return shares


def equal_shares(samples: int) -> list[int]:
    """``samples`` divided between three seeds."""
    return [samples // SEEDS + (seed < samples % SEEDS) for seed in range(SEEDS)]


def hadamard(order: int) -> NDArray[np.int8]:
    """Sylvester's Hadamard matrix of a power of two: ±1, orthogonal columns, the first all 1."""
    matrix = np.ones((1, 1), np.int8)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix
