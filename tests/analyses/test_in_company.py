"""On the default network a picture's result has the same bytes, whatever others come with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fervis.analyses import REGISTRY, Result, Subjects
from fervis.data import KINDS, open_dataset
from fervis.engine import keys
from fervis.model.classifier import Classifier, load
from fervis.model.options import ModelOptions

PICTURES = 33


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> tuple[np.ndarray, np.ndarray]:
    folder = tmp_path_factory.mktemp("faces")
    data = open_dataset(KINDS["faces"](), folder=folder, cache=folder, size=(48, 48), channels=1)
    assert data.labels is not None
    return np.ascontiguousarray(data.images[:PICTURES]), data.labels[:PICTURES]


@pytest.fixture(scope="module")
def default_network(tmp_path_factory) -> Classifier:
    return load(ModelOptions(kind="default"), folder=tmp_path_factory.mktemp("network"), classes=7)


@pytest.mark.parametrize(
    ("analysis", "options", "count"),
    [
        ("saliency", {}, PICTURES),
        ("gradcam", {}, PICTURES),
        ("gradcam", {"layer": "conv2.relu"}, PICTURES),
        ("activations", {"layer": "conv4", "image": 0, "first": 4}, PICTURES),
        ("predictions", {}, PICTURES),
        ("lime", {"samples": 50}, 8),  # few: alone they would not pay for a preparation
        ("lime", {}, 3),
    ],
    ids=lambda value: str(value),
)
def test_a_result_has_the_same_bytes_in_every_batch(
    faces, default_network, analysis, options: dict[str, Any], count
):
    images, labels = faces
    module = REGISTRY[analysis]
    typed = module.Options.model_validate(options)

    def computed(size: int) -> Sequence[Result]:
        found: list[Result] = []
        for start in range(0, count, size):
            part = range(start, min(start + size, count))
            rngs = tuple(keys.generator(0, analysis, str(place)) for place in part)
            subjects = Subjects(images[list(part)], labels[list(part)], rngs)
            found += module.compute(default_network, subjects, typed)
        return found

    alone = computed(1)
    assert len(alone) == count
    for size in (2, 7, 32):
        for one, other in zip(alone, computed(size), strict=True):
            assert one.numbers == other.numbers
            assert one.arrays.keys() == other.arrays.keys()
            for name, array in one.arrays.items():
                assert array.tobytes() == other.arrays[name].tobytes(), (size, name)
