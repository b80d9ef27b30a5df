"""The room's door: kinds by their files, stamps, the faces that come with fervis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from fervis.data import KINDS, stamp
from fervis.data.faces import shipped, truth
from fervis.engine.keys import source_digest
from fervis.errors import DataError, MachineError
from tests.data.make import course, noise


def test_every_file_in_formats_is_a_kind():
    assert list(KINDS) == ["faces", "fer2013", "folder", "npz"]
    for kind, options in KINDS.items():
        assert options.model_fields["kind"].annotation.__args__ == (kind,)
    with pytest.raises(KeyError):
        KINDS["mnist"]


def test_every_option_is_described_for_the_schema():
    for options in KINDS.values():
        schema = options.model_json_schema()
        json.dumps(schema)
        assert schema["additionalProperties"] is False
        undescribed = {
            name for name, field in schema["properties"].items() if "description" not in field
        }
        assert undescribed <= {"kind"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "a", "size": 3},
        {},
        {"path": "a", "held_out": 0},
        {"path": "a", "held_out": 1},
        {"path": "a", "classes": []},
        {"path": "a", "classes": [3]},
        {"path": "a", "fit": "squeeze"},
    ],
)
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        KINDS["fer2013"](kind="fer2013", **wrong)


def test_opening_imports_nothing_heavy(opener):
    (opener.folder / "train.csv").write_text(course(noise(3), [0, 1, 2]))
    code = (
        "import sys; from pathlib import Path; from fervis.data import KINDS, open_dataset, stamp\n"
        "o = KINDS['fer2013'](kind='fer2013', path='train.csv'); stamp(o, Path())\n"
        "assert 'PIL' not in sys.modules\n"
        "open_dataset(o, folder=Path(), cache=Path('c'), size=(48, 48), channels=1)\n"
        "print(sorted({'torch', 'PIL', 'scipy', 'pandas', 'matplotlib', 'skimage', 'sklearn'}"
        " & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=opener.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_stamp_changes_with_the_file_and_the_options(tmp_path):
    path = tmp_path / "train.csv"
    options = KINDS["fer2013"](kind="fer2013", path="train.csv")
    stamps = [stamp(options, tmp_path)]
    path.write_text("a")
    stamps.append(stamp(options, tmp_path))
    assert stamp(options, tmp_path) == stamps[-1]
    os.utime(path, (5, 5))
    stamps.append(stamp(options, tmp_path))
    path.write_text("ab")
    os.utime(path, (5, 5))
    stamps.append(stamp(options, tmp_path))
    stamps.append(stamp(options.model_copy(update={"split": "train"}), tmp_path))
    assert len(set(stamps)) == 5


def test_a_stamp_of_a_folder_changes_with_every_file_in_it(tmp_path):
    options = KINDS["folder"](kind="folder", path=".")
    (tmp_path / "cat").mkdir()
    stamps = [stamp(options, tmp_path)]
    (tmp_path / "cat" / "1.png").write_text("a")
    stamps.append(stamp(options, tmp_path))
    (tmp_path / "cat" / "1.png").write_text("bc")
    stamps.append(stamp(options, tmp_path))
    assert len(set(stamps)) == 3
    assert stamp(options, tmp_path) == stamps[-1]


def test_a_stamp_of_a_bottomless_folder_ends(tmp_path, monkeypatch):
    (tmp_path / "cat").mkdir()
    monkeypatch.chdir(tmp_path / "cat")
    for _ in range(1500):
        os.mkdir("d")  # noqa: PTH102 (no whole path may be as long)
        os.chdir("d")
    os.chdir(tmp_path)
    assert stamp(KINDS["folder"](kind="folder", path="."), tmp_path)
    with pytest.raises(MachineError, match="deep"):
        source_digest(str(tmp_path))
    subprocess.run(["rm", "-r", str(tmp_path / "cat")], check=True)  # pytest's own recurses


@pytest.fixture
def faces(monkeypatch):
    """A stand-in for the shipped faces: four pictures."""
    rng = np.random.default_rng(0)
    known = SimpleNamespace(
        images=noise(4),
        labels=np.array([0, 3, 6, 6]),
        motion=rng.random((4, 48, 48)).astype(np.float32),
        change=rng.random((4, 48, 48)).astype(np.float32),
        regions=rng.integers(0, 9, (4, 48, 48)).astype(np.uint8),
    )
    asked = []
    monkeypatch.setattr(shipped, "load", lambda split: known)
    monkeypatch.setattr(
        shipped, "pictures", lambda split: (asked.append(split), (known.images, known.labels))[1]
    )
    known.asked = asked
    return known


def test_faces_come_with_what_is_known_of_them(opener, faces):
    dataset = opener("faces")
    assert faces.asked == ["test"]
    assert (dataset.images[..., 0] == faces.images).all()
    assert dataset.labels.tolist() == [0, 3, 6, 6]
    assert (dataset.truth().motion == faces.motion).all()
    assert (dataset.truth().regions == faces.regions).all()
    assert len(dataset.truth().region_names) == len(truth.REGIONS)
    assert dataset.truth().region_names[1].in_language("zh-Hant") == "左眼"
    assert dataset.classes[0].in_language("zh-Hant") == "生氣"
    assert dataset.redistributable
    assert "CC0" in dataset.licence


def test_faces_are_split_into_train_and_test(opener, faces):
    assert opener("faces", split="train").split == "train"
    with pytest.raises(DataError, match="no split 'val'; there is train or test"):
        opener("faces", split="val")
    with pytest.raises(DataError, match="3 names; expected 7"):
        opener("faces", classes=["a", "b", "c"])


def test_faces_fit_another_network(opener, faces):
    dataset = opener("faces", size=(64, 64), channels=3)
    assert dataset.images.shape == (4, 64, 64, 3)
    assert dataset.truth().regions.shape == (4, 64, 64)
    assert opener("faces").digest != dataset.digest
