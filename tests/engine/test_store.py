from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fervis.engine.store import MAGIC, Entry, Store
from fervis.errors import MachineError

KEY = "ab" + "0" * 62


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def some_entry(scale: float = 1.0) -> Entry:
    return Entry(
        {"map": np.linspace(-scale, scale, 12, dtype=np.float32).reshape(3, 4)},
        {"loss": 0.25, "class": "高興", "dead": [1, 2]},
        {"map.png": b"\x89PNG\r\n" + bytes(range(256))},
    )


def test_an_entry_comes_back_as_it_went_in(store: Store) -> None:
    put = some_entry()
    store.put(KEY, put)
    got = Store(store.folder).get(KEY)
    assert got is not None
    np.testing.assert_array_equal(got.arrays["map"], put.arrays["map"], strict=True)
    assert got.meta == put.meta
    assert got.blobs == put.blobs


@pytest.mark.parametrize(
    "array",
    [
        np.float32(3.5),
        np.zeros((0, 7), np.float64),
        np.arange(24).reshape(2, 3, 4).T,
        np.array([np.nan, np.inf, -0.0], np.float16),
        np.array([[True, False]]),
        np.array(["怒", "happy"]),
        np.arange(5, dtype=">i4"),
    ],
)
def test_any_plain_array_keeps_shape_type_and_values(store: Store, array: np.ndarray) -> None:
    store.put(KEY, Entry({"first": np.ones(3), "a": array}))
    got = store.get(KEY)
    assert got is not None
    np.testing.assert_array_equal(got.arrays["a"], array, strict=True)
    np.testing.assert_array_equal(got.arrays["first"], np.ones(3))


def test_stored_arrays_are_read_only(store: Store) -> None:
    store.put(KEY, some_entry())
    got = store.get(KEY)
    assert got is not None
    with pytest.raises(ValueError, match="read-only"):
        got.arrays["map"][0, 0] = 1


def test_a_missing_key_is_none_and_no_damage(store: Store) -> None:
    assert store.get(KEY) is None
    assert not store.has(KEY)
    assert store.damaged == []
    assert not store.folder.exists()


def test_the_last_put_wins(store: Store) -> None:
    store.put(KEY, some_entry(1))
    store.put(KEY, some_entry(2))
    got = store.get(KEY)
    assert got is not None
    assert got.arrays["map"].max() == 2
    assert [p.name for p in (store.folder / "ab").iterdir()] == [KEY]


@pytest.mark.parametrize("key", ["", "ab", "../../etc/passwd", "ab/c", ".abc", "é" * 9, "a" * 300])
def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.put(key, Entry())


def test_objects_and_non_json_are_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        store.put(KEY, Entry({"a": np.array([object()])}))
    with pytest.raises(TypeError):
        store.put(KEY, Entry(meta={"a": object()}))
    assert not store.folder.exists()


DAMAGES = {
    "emptied": lambda data: b"",
    "truncated in its end": lambda data: data[:-1],
    "truncated in its header": lambda data: data[:30],
    "cut to its magic": lambda data: data[: len(MAGIC)],
    "lengthened": lambda data: data + b"\0",
    "flipped in the header": lambda data: _flip(data, 40),
    "flipped in the header's length": lambda data: _flip(data, len(MAGIC) + 6),
    "flipped in an array": lambda data: _flip(data, -200),
    "flipped in the checksum": lambda data: _flip(data, -1),
    "zeroed": lambda data: bytes(len(data)),
    "of another version": lambda data: data.replace(b"entry 1", b"entry 0"),
    "of something else": lambda data: b"PK\x03\x04" + data,
}


def _flip(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 4
    return bytes(changed)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_named_removed_and_missing(store: Store, kind: str) -> None:
    store.put(KEY, some_entry())
    path = store.path(KEY)
    path.write_bytes(DAMAGES[kind](path.read_bytes()))
    assert store.get(KEY) is None
    assert [damage.path for damage in store.damaged] == [path]
    assert str(path) in str(store.damaged[0])
    assert not store.has(KEY)
    store.put(KEY, some_entry())
    assert store.get(KEY) is not None


def test_every_single_flipped_bit_is_noticed(store: Store) -> None:
    store.put(KEY, Entry({"a": np.ones(2, np.uint8)}, {"n": 1}))
    path = store.path(KEY)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(_flip(whole, at))
        assert store.get(KEY) is None, at


def test_an_entry_under_another_keys_name_is_refused(store: Store) -> None:
    store.put(KEY, some_entry())
    other = "ab" + "1" * 62
    store.path(KEY).rename(store.path(other))
    assert store.get(other) is None
    assert "another key" in store.damaged[0].reason


def test_a_folder_in_place_of_an_entry_is_damage(store: Store) -> None:
    store.path(KEY).mkdir(parents=True)
    assert store.get(KEY) is None
    assert len(store.damaged) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "Input/output"),
    ],
)
def test_a_failed_write_names_the_place_and_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(MachineError, match=words) as caught:
        store.put(KEY, some_entry())
    assert str(store.folder) in str(caught.value)
    assert "bytes" in str(caught.value)
    assert list((store.folder / "ab").iterdir()) == []


def test_a_file_in_place_of_the_cache_folder_is_a_clear_error(store: Store) -> None:
    store.folder.write_text("not a folder")
    assert store.get(KEY) is None
    with pytest.raises(MachineError, match="cannot store"):
        store.put(KEY, some_entry())


def test_an_interrupted_write_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.put(KEY, some_entry())
    assert list((store.folder / "ab").iterdir()) == []


def test_prune_removes_what_was_unused_longest(store: Store) -> None:
    keys = [f"{i:02x}{'0' * 62}" for i in range(4)]
    for age, key in enumerate(keys):
        store.put(key, some_entry())
        os.utime(store.path(key), (1000 + age, 1000 + age))
    store.get(keys[0])  # the oldest is used again
    each = store.size() // 4
    assert store.prune(2 * each) == 2 * each
    assert [store.has(key) for key in keys] == [True, False, False, True]
    assert store.prune(2 * each) == 0
    assert store.prune(0) == 2 * each
    assert store.size() == 0


def test_prune_removes_left_overs_but_no_fresh_write(store: Store) -> None:
    store.put(KEY, some_entry())
    old, fresh = (store.folder / "ab" / f".{name}.new" for name in ("old", "fresh"))
    old.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(old, (1, 1))
    store.prune(10**9)
    assert not old.exists()
    assert fresh.exists()
    assert store.has(KEY)


def test_clear_leaves_what_is_not_the_stores(store: Store) -> None:
    store.put(KEY, some_entry())
    (store.folder / "precious.txt").write_text("mine")
    store.clear()
    assert [p.name for p in store.folder.iterdir()] == ["precious.txt"]
    store.clear()
    (store.folder / "precious.txt").unlink()
    store.clear()
    assert not store.folder.exists()


def test_readers_never_see_a_half_written_entry(store: Store) -> None:
    keys = [f"ab{i:062x}" for i in range(5)]
    failures: list[object] = []

    def write(seed: int) -> None:
        for turn in range(20):
            Store(store.folder).put(keys[turn % 5], some_entry(seed + turn))

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        reader = Store(store.folder)
        for key in keys:
            reader.get(key)
        failures += reader.damaged
    for writer in writers:
        writer.join()
    assert failures == []
    assert all(store.get(key) for key in keys)


def test_a_killed_writer_leaves_a_whole_entry_or_none(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from fervis.engine.store import Store, Entry\n"
        "store = Store(Path(sys.argv[1])); print('go', flush=True)\n"
        "for i in range(10**6): store.put(f'ab{i % 7}', Entry({'a': np.full(200000, i)}))\n"
    )
    for pause in (0.01, 0.05, 0.11):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(pause)
        child.kill()
        child.wait()
        child.stdout.close()
        store = Store(tmp_path)
        for i in range(7):
            store.get(f"ab{i}")
        assert store.damaged == []


def test_fifty_small_entries_are_read_within_a_blink(store: Store) -> None:
    keys = [f"{i:02x}{'0' * 62}" for i in range(50)]
    for key in keys:
        store.put(key, some_entry())
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert all(store.get(key) for key in keys)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05


def test_a_folder_that_may_only_be_read_serves_but_refuses(unprivileged) -> None:
    def check(folder: Path) -> None:
        store = Store(folder)
        assert store.get(KEY) is not None
        with pytest.raises(MachineError, match="may not be written"):
            store.put(KEY, some_entry())

    def prepare(folder: Path) -> None:
        Store(folder).put(KEY, some_entry())
        (folder / "ab").chmod(0o555)
        folder.chmod(0o555)

    unprivileged(prepare, check)
