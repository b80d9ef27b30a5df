"""Folders of pictures: order, classes, splits, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fervis.data.faults import printable
from fervis.data.tree import natural
from fervis.errors import DataError
from tests.data.make import noise
from tests.data.test_picture import GRAY, png, saved
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")


def put(folder, name, seed=0, side=48):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(1, seed, side)[0]).save(path)
    return path


@pytest.fixture
def pets(opener):
    """Two classes of three pictures, named so that natural order differs from the alphabet's."""
    root = opener.folder / "pets"
    for seed, name in enumerate(["dog/10.png", "dog/9.png", "cat/b.png", "cat/A.png", "cat/2.png"]):
        put(root, name, seed)
    return root


def said(opener, **options) -> str:
    with pytest.raises(DataError) as caught:
        opener("folder", "pets", **options)
    return str(caught.value)


def names(dataset) -> list[str]:
    return [name.in_language("en") for name in dataset.classes]


def test_pictures_are_in_natural_order_class_by_class(opener, pets):
    dataset = opener("folder", "pets")
    assert dataset.places == ("cat/2.png", "cat/A.png", "cat/b.png", "dog/9.png", "dog/10.png")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1]
    assert names(dataset) == ["cat", "dog"]
    assert (dataset.images[4, ..., 0] == noise(1, 0)[0]).all()
    assert dataset.split == "all"


def test_natural_order_is_total():
    some = ["a10", "a9", "A9", "a", "", "10", "9", "a9b", "é", "a09", "9a"]
    assert sorted(sorted(some), key=natural) == sorted(sorted(some, reverse=True), key=natural)
    assert sorted(["x10", "x9", "x1"], key=natural) == ["x1", "x9", "x10"]


def test_folders_of_the_first_level_may_be_splits(opener):
    for seed, name in enumerate(["train/dog/1.png", "train/cat/1.png", "test/dog/7.png"]):
        put(opener.folder / "pets", name, seed)
    test = opener("folder", "pets")
    assert (test.split, test.labels.tolist(), names(test)) == ("test", [1], ["cat", "dog"])
    train = opener("folder", "pets", split="train")
    assert train.places == ("train/cat/1.png", "train/dog/1.png")
    assert "train (2)" in said(opener, split="val")


def test_pictures_without_class_folders_have_no_labels(opener):
    for name in ("1.png", "2.png"):
        put(opener.folder / "pets", name)
    dataset = opener("folder", "pets")
    assert dataset.labels is None
    assert len(dataset) == 2


def test_a_share_can_be_held_out_and_keeps_its_places(opener, pets):
    heldout = opener("folder", "pets", split="heldout", held_out=0.4)
    train = opener("folder", "pets", split="train", held_out=0.4)
    assert sorted(heldout.places + train.places) == sorted(opener("folder", "pets").places)
    assert len(heldout) == 2


def test_a_list_of_the_folders_says_the_order_of_labels(opener, pets):
    dataset = opener("folder", "pets", classes=["dog", "cat"])
    assert dataset.labels.tolist() == [0, 0, 1, 1, 1]
    assert names(dataset) == ["dog", "cat"]
    translated = opener("folder", "pets", classes=[{"en": "Dog", "zh-Hant": "狗"}, {"en": "cat"}])
    assert translated.labels.tolist() == [0, 0, 1, 1, 1]
    assert translated.classes[0].in_language("zh-Hant") == "狗"


def test_a_list_of_other_words_names_the_folders_in_their_order(opener, pets):
    dataset = opener("folder", "pets", classes=["貓", "狗"])
    assert (names(dataset), dataset.labels.tolist()) == (["貓", "狗"], [0, 0, 0, 1, 1])


def test_a_mapping_says_order_and_names(opener, pets):
    dataset = opener("folder", "pets", classes={"dog": "狗", "cat": "貓"})
    assert (names(dataset), dataset.labels.tolist()) == (["狗", "貓"], [0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    "classes",
    [["cat"], ["cat", "dog", "cow"], ["cat", "cow"], {"cat": "a", "cow": "b"}, {"dog": "狗"}],
)
def test_classes_that_are_not_the_folders_are_said(opener, pets, classes):
    assert "the folders are cat, dog" in said(opener, classes=classes)


def test_hidden_files_and_what_systems_leave_are_ignored(opener, pets):
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "cat/.hidden.png",
        "cat/Thumbs.db",
        "__MACOSX/a.png",
        ".git/HEAD",
        "cat/desktop.ini",
    ):
        (pets / name).parent.mkdir(exist_ok=True)
        (pets / name).write_text("no picture")
    assert len(opener("folder", "pets")) == 5


def test_what_is_no_picture_is_said_with_the_first_ten_and_the_total(opener, pets):
    for n in range(12):
        (pets / "dog" / f"note{n}.txt").write_text("woof")
    message = said(opener).splitlines()
    assert message[0] == "pets: 12 files that are not readable pictures, the first 10:"
    assert message[1] == "  pets:dog/note0.txt: not a picture; it begins with 'woof'"
    assert message[10].startswith("  pets:dog/note9.txt")
    assert len(message) == 11


def test_a_truncated_and_an_empty_picture_are_said(opener, pets):
    whole = (pets / "cat" / "2.png").read_bytes()
    (pets / "cat" / "2.png").write_bytes(whole[:-900])
    (pets / "dog" / "9.png").write_bytes(b"")
    message = said(opener)
    assert "cat/2.png: a broken picture" in message
    assert "dog/9.png: an empty file" in message


HOSTILE = {
    "bomb.png": (png(30_000, 30_000), "a decompression bomb"),
    "bomb.pgm": (b"P5 40000 40000 255\n", "a decompression bomb"),
    "cut.jpg": (saved(Image.fromarray(GRAY), "JPEG")[:300], "a broken picture"),
    "nothing.png": (png(0, 0), "not a picture"),
    "archive.jpg": (
        saved(Image.fromarray(GRAY), "JPEG") + b"PK\x03\x04" + bytes(50) + b"PK\x05\x06",
        "a ZIP archive",
    ),
    "script.jpg": (saved(Image.fromarray(GRAY), "JPEG") + b"<script>x</script>", "script"),
    "page.png": (b"<html><script>alert(1)</script>", "a web page or script"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a web page or script"),
    "paper.png": (b"%PDF-1.7", "a PDF file"),
    "gpj.\u202egnp.png": (b"x", "not a picture"),
    "<img src=x onerror=alert(1)>.png": (b"x", "not a picture"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_with_its_name(opener, pets, name):
    content, why = HOSTILE[name]
    (pets / "cat" / name).write_bytes(content)
    message = said(opener)
    assert message.startswith(f"pets:cat/{printable(name)}: ")
    assert why in message
    assert message.isprintable()


@pytest.mark.parametrize("kind", ["folder", "fer2013", "npz"])
@pytest.mark.parametrize(
    "path",
    ["file:///etc/passwd", "http://169.254.169.254/latest", "/dev/zero", "/dev/stdin", "x" * 300,
     "/proc/self/mem", "\\\\host\\share"],
)  # fmt: skip
def test_an_address_or_a_device_is_no_data_set(opener, kind, path):
    with pytest.raises(DataError) as caught:
        opener(kind, path)
    assert Path(path).name[:20] in str(caught.value)


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside.png"])
def test_links_that_leave_the_folder_are_refused(opener, pets, target):
    put(opener.folder, "outside.png")
    (pets / "cat" / "link.png").symlink_to(target)
    assert "cat/link.png: refused: a link that leaves the folder" in said(opener)


def test_links_to_folders_loops_and_nothing_are_refused_and_inner_links_read(opener, pets):
    (pets / "cat" / "inner.png").symlink_to("2.png")
    assert len(opener("folder", "pets")) == 6
    (pets / "cow").symlink_to("cat")
    (pets / "cat" / "loop.png").symlink_to("loop.png")
    (pets / "cat" / "none.png").symlink_to("none")
    message = said(opener)
    assert "cow: a link to a folder" in message
    assert message.count("a link to nothing") == 2


def test_pipes_and_stray_files_are_said(opener, pets):
    os.mkfifo(pets / "cat" / "pipe.png")
    put(pets, "stray.png")
    message = said(opener)
    assert "cat/pipe.png: neither a file nor a folder" in message
    assert "stray.png: a file beside the folders of classes" in message


def test_an_empty_a_missing_and_a_wrong_folder_are_said(opener):
    (opener.folder / "pets").mkdir()
    assert "no files in it" in said(opener)
    with pytest.raises(DataError, match="no such file"):
        opener("folder", "missing")
    put(opener.folder, "a.png")
    with pytest.raises(DataError, match="expected a folder"):
        opener("folder", "a.png")


def test_a_file_that_comes_goes_or_changes_is_noticed(opener, pets):
    digests = [opener("folder", "pets").digest]
    put(pets, "dog/11.png", 9)
    digests.append(opener("folder", "pets").digest)
    put(pets, "dog/11.png", 8)
    digests.append(opener("folder", "pets").digest)
    assert len(set(digests)) == 3
    (pets / "dog" / "11.png").unlink()
    assert opener("folder", "pets").digest == digests[0]


def test_pictures_of_any_size_are_brought_to_the_networks(opener):
    for side in (7, 48, 300):
        put(opener.folder / "pets", f"cat/{side}.png", side=side)
    dataset = opener("folder", "pets", size=(64, 50), channels=3)
    assert dataset.images.shape == (3, 64, 50, 3)
    assert "64×50" in dataset.notes["size"]


def test_strange_names_are_read_and_said(opener, pets):
    (pets / "cat" / "2.png").rename(pets / "cat" / "貓 😀\n.png")
    broken = os.fsencode(pets / "dog") + b"/\xff.png"
    with open(broken, "wb") as file:  # noqa: PTH123 (a name that is no text)
        file.write(b"x")
    message = said(opener)
    assert "\\udcff.png: not a picture" in message
    os.unlink(broken)  # noqa: PTH108
    assert "cat/貓 😀\n.png" in opener("folder", "pets").places


def test_two_runs_give_the_same_bytes(opener, pets):
    one = opener("folder", "pets", size=(20, 30))
    opener.cache = opener.folder / "another cache"
    two = opener("folder", "pets", size=(20, 30))
    assert one.digest == two.digest
    assert np.array_equal(one.images, two.images)
