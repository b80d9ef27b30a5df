"""The cache of data sets: read once, found again, never trusted when damaged."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from fervis.data import source
from fervis.data.formats import fer2013
from fervis.data.store import Recipe, Store, key_of
from fervis.errors import MachineError
from tests.data.make import course, kaggle, noise

IMAGES, LABELS = noise(8), [0, 1, 2, 3, 4, 5, 6, 0]


@pytest.fixture
def reads(monkeypatch):
    """How often a CSV file was parsed."""
    counted, read = [], fer2013.read
    monkeypatch.setattr(fer2013, "read", lambda *a: (counted.append(1), read(*a)))
    return counted


@pytest.fixture
def csv(opener):
    path = opener.folder / "train.csv"
    path.write_text(course(IMAGES, LABELS))
    return path


def entries(opener) -> list:
    return [path for path in (opener.cache / "data").iterdir() if path.is_dir()]


def test_a_file_is_read_once(opener, csv, reads):
    first, second = opener("fer2013", "train.csv"), opener("fer2013", "train.csv")
    assert len(reads) == 1
    assert (first.images == second.images).all()
    assert first.digest == second.digest


def test_every_split_comes_from_one_reading(opener, csv, reads):
    usages = ["Training"] * 5 + ["PublicTest"] * 2 + ["PrivateTest"]
    csv.write_text(kaggle(IMAGES, LABELS, usages))
    for split in (*fer2013.USAGES, "train", "heldout"):
        opener("fer2013", "train.csv", split=split)
    assert len(reads) == 1


def test_pictures_are_a_memory_map(opener, csv):
    images = opener("fer2013", "train.csv").images
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


def test_a_touched_or_renamed_file_is_not_parsed_again(opener, csv, reads):
    opener("fer2013", "train.csv")
    os.utime(csv, (1, 1))
    opener("fer2013", "train.csv")
    csv.rename(opener.folder / "other.csv")
    opener("fer2013", "other.csv")
    assert len(reads) == 1


def test_a_changed_file_is_parsed_again(opener, csv, reads):
    before = opener("fer2013", "train.csv")
    csv.write_text(course(IMAGES[::-1], LABELS))
    after = opener("fer2013", "train.csv")
    assert len(reads) == 2
    assert (after.images[..., 0] == IMAGES[::-1]).all()
    assert after.digest != before.digest


def test_a_change_is_noticed_though_size_and_mtime_are_as_before(opener, csv):
    opener("fer2013", "train.csv")
    state = csv.stat()
    csv.write_text(course(IMAGES, LABELS[::-1]))
    os.utime(csv, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert csv.stat().st_size == state.st_size
    assert opener("fer2013", "train.csv").labels.tolist() == LABELS[::-1]


def test_an_old_file_is_not_even_hashed_again(opener, csv, monkeypatch):
    time.sleep(0.1)
    hashed, hash_of = [], source._hash_of
    monkeypatch.setattr(source, "_hash_of", lambda path: (hashed.append(path), hash_of(path))[1])
    opener("fer2013", "train.csv")
    opener("fer2013", "train.csv")
    assert len(hashed) == 1


def test_a_false_note_about_a_file_is_not_believed(opener, csv):
    time.sleep(0.1)
    opener("fer2013", "train.csv")
    notes = list((opener.cache / "data").glob("*.hash"))
    assert notes
    for note in notes:
        note.write_text("0" * 64 + " " + "1" * 64)
    assert opener("fer2013", "train.csv").labels.tolist() == LABELS


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["0.images", "0.labels", "manifest.json"])
@pytest.mark.parametrize(
    "damage",
    [
        _flip,
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
    ],
    ids=["bit flipped", "emptied", "gone", "truncated"],
)
def test_a_damaged_entry_is_noticed_and_made_again(opener, csv, reads, caplog, name, damage):
    whole = opener("fer2013", "train.csv")
    digest, pixels = whole.digest, np.array(whole.images)
    del whole
    (entry,) = entries(opener)
    damage(entry / name)
    again = opener("fer2013", "train.csv")
    assert (again.images == pixels).all()
    assert (again.digest, again.labels.tolist()) == (digest, LABELS)
    assert len(reads) == 2
    if damage.__name__ == "_flip":
        assert "damaged; it is made again" in caplog.text


def test_a_manifest_of_another_layout_is_made_again(opener, csv, reads):
    opener("fer2013", "train.csv")
    (entry,) = entries(opener)
    manifest = json.loads((entry / "manifest.json").read_text())
    manifest["splits"]["all"]["shape"][0] = 10**12
    (entry / "manifest.json").write_text(json.dumps(manifest))
    assert len(opener("fer2013", "train.csv")) == 8
    (entry / "manifest.json").write_text("[" * 100_000)
    assert len(opener("fer2013", "train.csv")) == 8


def test_a_failed_filling_leaves_nothing(tmp_path):
    def fill(writer):
        writer.add("all", IMAGES[..., None], None)
        raise KeyboardInterrupt

    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.records(Recipe(key_of("x"), fill))
    assert list(store.folder.iterdir()) == []


def test_what_a_killed_build_left_is_swept_up_later(tmp_path):
    store = Store(tmp_path)
    for name, age in (("old", 7200), ("new", 60)):
        (store.folder / f"{name}.partial").mkdir(parents=True)
        os.utime(store.folder / f"{name}.partial", (time.time() - age,) * 2)
    store.records(Recipe(key_of("x"), lambda writer: writer.add("all", IMAGES[..., None], None)))
    assert [path.stem for path in store.folder.glob("*.partial")] == ["new"]


def test_another_build_may_make_the_same_entry_meanwhile(tmp_path):
    store = Store(tmp_path)

    def plain(writer):
        writer.add("all", IMAGES[..., None], None)

    def overtaken(writer):
        store.load(Recipe(key_of("x"), plain), "all")
        plain(writer)

    stored = store.load(Recipe(key_of("x"), overtaken), "all")
    assert (stored.images[..., 0] == IMAGES).all()
    assert len(list(store.folder.iterdir())) == 1


def test_an_entry_that_another_build_made_meanwhile_stays_the_one_it_is(tmp_path):
    """A third build may be between its manifest and its pictures just then."""
    store = Store(tmp_path)

    def plain(writer):
        writer.add("all", IMAGES[..., None], None)

    def overtaken(writer):
        store.records(Recipe(key_of("x"), plain))
        made.append((store.folder / key_of("x")).stat().st_ino)
        plain(writer)

    made: list[int] = []
    store.records(Recipe(key_of("x"), overtaken))
    assert made == [(store.folder / key_of("x")).stat().st_ino]


def test_a_full_disk_is_said_with_its_path(tmp_path):
    def fill(writer):
        raise OSError(28, "No space left on device")

    with pytest.raises(MachineError, match=r"data.*No space left on device.*free some space"):
        Store(tmp_path).records(Recipe(key_of("x"), fill))


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_locked_cache_is_said_with_its_path(unprivileged, mode):
    def prepare(folder):
        Store(folder).folder.mkdir()
        Store(folder).folder.chmod(mode)

    def check(folder):
        with pytest.raises(MachineError, match=r"data.*cannot be read or written"):
            Store(folder).records(Recipe(key_of("x"), lambda writer: None))

    unprivileged(prepare, check)


def test_a_cache_that_is_a_file_is_said_with_its_path(tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(MachineError, match="cannot be read or written"):
        Store(tmp_path / "cache").records(Recipe(key_of("x"), lambda writer: None))
