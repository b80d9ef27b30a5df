"""A key changes exactly when a number could."""

import numpy as np

from fervis.engine import keys


def test_digest_ignores_the_order_of_keys_but_not_values():
    assert keys.digest({"a": 1, "b": [2, 3]}) == keys.digest({"b": [2, 3], "a": 1})
    assert keys.digest({"a": 1}) != keys.digest({"a": 2})
    assert keys.digest({"a": 1}) != keys.digest({"a": "1"})


def test_array_digest_sees_shape_type_and_every_byte():
    picture = np.arange(6, dtype=np.uint8)
    assert keys.array_digest(picture) == keys.array_digest(picture.copy())
    assert keys.array_digest(picture) != keys.array_digest(picture.reshape(2, 3))
    assert keys.array_digest(picture) != keys.array_digest(picture.astype(np.int8))
    changed = picture.copy()
    changed[5] ^= 1
    assert keys.array_digest(picture) != keys.array_digest(changed)


def test_generators_of_different_subjects_are_independent_and_repeatable():
    first = keys.generator(0, "lime", "picture a").random(4)
    assert np.array_equal(first, keys.generator(0, "lime", "picture a").random(4))
    for other in (
        keys.generator(0, "lime", "picture b"),
        keys.generator(1, "lime", "picture a"),
        keys.generator(0, "saliency", "picture a"),
    ):
        assert not np.array_equal(first, other.random(4))


def test_source_digest_follows_content_and_names(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    before = keys.source_digest(str(tmp_path))
    keys.source_digest.cache_clear()
    (tmp_path / "a.py").write_text("x = 2")
    after = keys.source_digest(str(tmp_path))
    assert before != after
