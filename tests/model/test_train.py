"""Training: repeatable, resumable, and it learns."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fervis.errors import ModelError
from fervis.model.augment import Augmentation, augment
from fervis.model.recipe import Recipe, Stage
from fervis.model.train import LabelledImages, Sets, train

RECIPE = Recipe(
    stages=(Stage(1, 8), Stage(1, 12), Stage(1, 12, extra=True)),
    batch=8,
    learning_rate=0.05,
    averaging=0.9,
    precision="float32",
)


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(4, 2),
    )


def some(count: int, seed: int) -> LabelledImages:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = rng.integers(0, 80, (count, 12, 12, 1)) + labels[:, None, None, None] * 120
    return LabelledImages(images.astype(np.uint8), labels.astype(np.int64))


def sets(extra=None) -> Sets:
    return Sets(some(40, 0), some(20, 1), extra, 0.4, 0.25)


def weights(net: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in net.state_dict().values()]


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def test_the_same_recipe_gives_the_same_weights(tmp_path):
    first = train(network(), sets(), RECIPE, tmp_path / "a")
    second = train(network(), sets(), RECIPE, tmp_path / "b")
    assert same(first, second)
    other = train(network(), sets(), replace(RECIPE, seed=1), tmp_path / "c")
    assert not same(first, other)


def test_a_run_stopped_after_an_epoch_ends_with_the_same_weights(tmp_path):
    whole = train(network(), sets(), RECIPE, tmp_path / "whole")

    def stop(row):
        if row.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(network(), sets(), RECIPE, tmp_path / "stopped", on_epoch=stop)
    assert same(whole, train(network(), sets(), RECIPE, tmp_path / "stopped"))
    with (tmp_path / "stopped" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]


def test_a_folder_of_another_recipe_is_refused(tmp_path):
    train(network(), sets(), RECIPE, tmp_path)
    with pytest.raises(ModelError, match="another recipe"):
        train(network(), sets(), replace(RECIPE, seed=1), tmp_path)


def test_the_second_set_is_read_only_when_its_stage_begins(tmp_path):
    seen = []

    def extra():
        seen.append(len(rows))
        return some(8, 5)

    rows: list[object] = []
    train(network(), sets(extra), RECIPE, tmp_path, on_epoch=rows.append)
    assert seen == [2]


def test_it_learns_what_is_easy(tmp_path):
    rows = []
    recipe = replace(
        RECIPE,
        stages=(Stage(12, 12),),
        augmentation=Augmentation(
            flip=True, rotation=0, scale=0, aspect=0, shift=0, contrast=0, brightness=0, cutout=0
        ),
    )
    train(network(), sets(), recipe, tmp_path, on_epoch=rows.append)
    assert rows[-1].valid_accuracy > 0.9
    assert rows[-1].valid_loss < rows[0].valid_loss


def test_one_cycle_rises_then_falls_to_nothing():
    recipe = Recipe(learning_rate=0.2, warm_up=0.25)
    values = [recipe.learning_rate_at(p) for p in np.linspace(0, 1, 101)]
    assert max(values) == pytest.approx(0.2)
    assert values.index(max(values)) == 25
    assert values[-1] == pytest.approx(0, abs=1e-9)
    assert values[0] < 0.02


def test_augmentation_without_ranges_changes_nothing():
    images = torch.rand(3, 1, 12, 12)
    off = Augmentation(False, 0, 0, 0, 0, 0, 0, 0, 0)
    moved = augment(images.clone(), 12, off, np.random.default_rng(0))
    assert torch.allclose(moved, images, atol=1e-5)


def test_augmentation_stays_in_range_and_repeats():
    images = torch.rand(6, 3, 16, 16)
    once = augment(images, 12, Augmentation(), np.random.default_rng(2))
    again = augment(images, 12, Augmentation(), np.random.default_rng(2))
    assert once.shape == (6, 3, 12, 12)
    assert torch.equal(once, again)
    assert float(once.min()) >= 0
    assert float(once.max()) <= 1
    assert not torch.allclose(once[0], once[1])


def test_the_command_trains_a_students_network_and_leaves_weights_log_and_curves(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def Net():\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),\n"
        "                         nn.Flatten(), nn.Linear(4, 2))\n"
    )
    train_set, test_set = some(40, 0), some(10, 1)
    np.savez(
        tmp_path / "d.npz",
        train_images=train_set.images[..., 0],
        train_labels=train_set.labels,
        test_images=test_set.images[..., 0],
        test_labels=test_set.labels,
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fervis",
            "train",
            "--data",
            "d.npz",
            "--factory",
            "net.py:Net",
            "--epochs",
            "1",
            "--out",
            "run",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {"weights.safetensors", "log.csv", "recipe.yaml", "curves.svg"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
