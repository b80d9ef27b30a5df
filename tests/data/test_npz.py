"""Arrays in .npz files: names, shapes, values, and claims that are not believed."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from fervis.errors import DataError
from tests.data.make import noise
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")

IMAGES = noise(6, side=8)
COLOUR = np.random.default_rng(1).integers(0, 256, (6, 8, 9, 3)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 1, 0, 2])


def opened(opener, *, size=(8, 8), channels=1, options=None, **arrays):
    np.savez_compressed(opener.folder / "a.npz", **arrays)
    return opener("npz", "a.npz", size=size, channels=channels, **(options or {}))


def said(opener, **arrays) -> str:
    with pytest.raises(DataError) as caught:
        opened(opener, **arrays)
    return str(caught.value)


@pytest.mark.parametrize(
    "names",
    [("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "target"), ("Images", "Labels")],
)
def test_the_names_people_use_are_found(opener, names):
    dataset = opened(opener, **dict(zip(names, (IMAGES, LABELS), strict=True)))
    assert (dataset.images[..., 0] == IMAGES).all()
    assert dataset.labels.tolist() == LABELS.tolist()
    assert [name.in_language("en") for name in dataset.classes] == ["0", "1", "2"]
    assert dataset.split == "all"
    assert not dataset.redistributable


@pytest.mark.parametrize("pattern", ["x_{}", "{}_x", "images_{}"])
def test_splits_are_found_by_what_is_before_or_behind(opener, pattern):
    arrays = {
        pattern.format("train"): IMAGES,
        pattern.format("test"): IMAGES[:2],
        pattern.format("train").replace("x", "y").replace("images", "labels"): LABELS,
        pattern.format("test").replace("x", "y").replace("images", "labels"): LABELS[:2],
    }
    test = opened(opener, **arrays)
    assert (test.split, test.labels.tolist()) == ("test", [0, 1])
    assert len(test.classes) == 3
    assert len(opened(opener, options={"split": "train"}, **arrays)) == 6


def test_arrays_can_be_named_in_the_report(opener):
    arrays = {"pics": IMAGES, "what": LABELS, "x": IMAGES[:1]}
    dataset = opened(opener, options={"images": "pics", "labels": "what"}, **arrays)
    assert len(dataset) == 6
    arrays = {"pics.a": IMAGES, "what.a": LABELS, "pics.b": IMAGES[:1]}
    options = {"images": "pics.{split}", "labels": "what.{split}", "split": "a"}
    assert len(opened(opener, options=options, **{**arrays, "what.b": LABELS[:1]})) == 6
    with pytest.raises(DataError, match=r"no array nope; it has pics\.a, what\.a"):
        opened(opener, options={"images": "nope"}, **arrays)
    with pytest.raises(DataError, match=r"no array what.\{split\}"):
        opened(opener, options=options, **arrays)


def test_without_labels_there_are_none(opener):
    assert opened(opener, x=IMAGES).labels is None


def test_an_archive_without_pictures_names_what_it_has(opener):
    assert "it has weights, bias" in said(opener, weights=IMAGES, bias=LABELS)
    assert "it has none" in said(opener)


@pytest.mark.parametrize(
    ("array", "layout"),
    [
        (COLOUR, None),
        (COLOUR.transpose(0, 3, 1, 2), None),
        (COLOUR.transpose(0, 3, 1, 2), "NCHW"),
        (COLOUR, "NHWC"),
    ],
)
def test_channels_may_be_first_or_last(opener, array, layout):
    dataset = opened(
        opener, size=(8, 9), channels=3, x=np.ascontiguousarray(array), options={"layout": layout}
    )
    assert (dataset.images == COLOUR).all()


@pytest.mark.parametrize(
    "array",
    [
        IMAGES.astype(np.int64),
        IMAGES.astype(">u2"),
        IMAGES.astype(np.float32),
        (IMAGES / 255).astype(np.float32),
        IMAGES / 255,
        IMAGES[..., None],
    ],
    ids=["int64", "big-endian", "whole floats", "fractions", "double fractions", "one channel"],
)
def test_the_same_pictures_in_other_types_are_the_same(opener, array):
    assert (opened(opener, x=array).images[..., 0] == IMAGES).all()


def test_booleans_are_black_and_white(opener):
    assert (opened(opener, x=IMAGES > 99).images[..., 0] == (IMAGES > 99) * 255).all()


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, 300.0, 1.5])
def test_values_that_are_neither_fractions_nor_bytes_are_said(opener, value):
    array = IMAGES / 255
    array[4, 3, 2] = value
    message = said(opener, x=array)
    assert "expected 0…1 throughout, or whole numbers 0…255" in message
    assert "a.npz:x[" in message
    if value < 1 or np.isnan(value):
        assert message.startswith(f"a.npz:x[4]: value {value}")


def test_bad_labels_are_said_with_the_first_ten_and_the_total(opener):
    message = said(opener, x=noise(30, side=4), y=np.full(30, -1)).splitlines()
    assert message[0] == "a.npz: 30 faults, the first 10:"
    assert message[1].startswith("  a.npz:y[0]: label -1")
    assert "label 2; expected 0 … 1" in said(
        opener, x=IMAGES, y=LABELS, options={"classes": ["a", "b"]}
    )
    assert "label 10000000" in said(opener, x=IMAGES, y=LABELS + 10**7)


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"x": IMAGES, "y": LABELS[:3]}, "expected 6 whole numbers"),
        ({"x": IMAGES, "y": LABELS + 0.5}, "expected 6 whole numbers"),
        ({"x": IMAGES[0]}, "expected (N, H, W)"),
        ({"x": np.zeros((2, 5, 4, 4, 1), np.uint8)}, "expected (N, H, W)"),
        ({"x": np.zeros((2, 4, 4, 2), np.uint8)}, "one or three channels"),
        ({"x": np.zeros((0, 4, 4), np.uint8)}, "no pictures in it"),
        ({"x": np.zeros((2, 0, 4), np.uint8)}, "no pictures in it"),
        ({"x": np.array(3, np.uint8)}, "one entry per picture"),
        ({"x": np.asfortranarray(IMAGES)}, "ascontiguousarray"),
        ({"x": np.array([["a"]])}, "expected numbers"),
        ({"x": IMAGES.astype(complex)}, "expected numbers"),
        ({"x": np.zeros(3, [("a", "i4")])}, "expected numbers"),
    ],
)
def test_arrays_of_another_shape_or_type_are_said(opener, arrays, what):
    assert what in said(opener, **arrays)


def test_python_objects_are_never_unpacked(opener):
    class Run:
        def __reduce__(self):
            return (pytest.fail, ("it ran",))

    array = np.empty(1, object)
    array[0] = Run()
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    assert "never unpacked" in archive(opener, file.getvalue())


def header(shape: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(opener, data: bytes) -> str:
    with zipfile.ZipFile(opener.folder / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", data)
    with pytest.raises(DataError) as caught:
        opener("npz", "a.npz", size=(8, 8))
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (header("(1000000000000, 48, 48)") + bytes(100), "the header claims 2,304,000,000,000,000"),
        (header("(2, 4, 4)") + bytes(31), "the header claims 32 bytes"),
        (header("(2, 4, 4)") + bytes(33), "the header claims 32 bytes"),
        (header("(-2, 4, -4)") + bytes(32), "claims"),
        (header("(1" + "0" * 5000 + ", 4, 4)"), "not a readable"),
        (header("(" * 900), "not a readable"),
        (b"no numpy array", "not a readable"),
        (b"", "not a readable"),
        (b"\x93NUMPY\x09\x00" + bytes(50), "not a readable"),
        (header("(70000, 32, 32)") + bytes(70000 * 32 * 32), "refused, since 71,680,128 bytes"),
        (b"\x93NUMPY\x02\x00" + bytes([0, 0, 0, 6]) + bytes(96 << 20), "refused, since 100,663,"),
    ],
    ids=[
        "petabytes",
        "short",
        "long",
        "negative",
        "digits",
        "nested",
        "text",
        "empty",
        "version",
        "bomb",
        "header",
    ],
)
def test_claims_are_compared_with_the_file_before_anything_is_allocated(opener, data, what):
    assert what in archive(opener, data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"PK\x03\x04nonsense",
        lambda data: data[:200] + bytes(40) + data[240:],
    ],
    ids=["cut", "empty", "false", "zeroed"],
)
def test_a_damaged_archive_is_said(opener, damage):
    np.savez_compressed(opener.folder / "a.npz", x=IMAGES)
    data = (opener.folder / "a.npz").read_bytes()
    (opener.folder / "a.npz").write_bytes(damage(data))
    with pytest.raises(DataError, match=r"a\.npz"):
        opener("npz", "a.npz", size=(8, 8))


def test_a_second_opening_reads_no_archive(opener, monkeypatch):
    opened(opener, x=IMAGES, y=LABELS)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert len(opener("npz", "a.npz", size=(8, 8))) == 6
