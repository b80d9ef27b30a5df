"""What a training run learns from: no picture twice, none of the test split."""

import numpy as np
import pytest

from fervis.engine.training import divide, read_recipe
from fervis.errors import DataError


def pictures(*values):
    return np.asarray(values, np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)


def test_repeated_pictures_and_those_of_the_test_split_are_dropped():
    images = pictures(*range(40), 0, 1)
    division = divide(images, pictures(7, 8, 99), seed=0)
    assert division.dropped == 4
    assert sorted([*division.train, *division.valid]) == [i for i in range(40) if i not in (7, 8)]


def test_the_held_out_tenth_depends_on_the_seed_alone():
    images = pictures(*range(60))
    once, again, other = (divide(images, None, seed) for seed in (4, 4, 5))
    assert len(once.valid) == 6
    assert np.array_equal(once.valid, again.valid)
    assert not np.array_equal(once.valid, other.valid)
    assert not set(once.train) & set(once.valid)


def test_a_recipe_file_says_which_field_is_wrong(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text("batch: many\nstages: [{epochs: 2, size: 48}]\n")
    with pytest.raises(DataError, match="batch"):
        read_recipe(file)
    file.write_text("batch: 64\nstages: [{epochs: 2, size: 48}]\n")
    assert (read_recipe(file).batch, read_recipe(file).epochs) == (64, 2)
