"""FER2013 files: what every edition gives, and what is said of a broken one."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from fervis.data import source
from fervis.data.formats import fer2013
from fervis.errors import DataError
from tests.data.make import course, kaggle, lines, noise, other_edition, pixels, unlabelled
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")

IMAGES = noise(6)
LABELS = [0, 6, 3, 3, 1, 5]
USAGES = ["Training", "Training", "PublicTest", "Training", "PrivateTest", "PublicTest"]
ROW = pixels(IMAGES[0])
SHORT = ROW.rsplit(" ", 1)[0]  # a pixel too few
EDITIONS = {
    "kaggle": kaggle(IMAGES, LABELS, USAGES),
    "other": other_edition(IMAGES, LABELS, USAGES),
}


def broken(opener, text: str | bytes, name: str = "fer2013.csv") -> str:
    data = text.encode() if isinstance(text, str) else text
    (opener.folder / name).write_bytes(data)
    with pytest.raises(DataError) as caught:
        opener("fer2013", name)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("edition", EDITIONS)
def test_both_editions_give_the_same_splits(opener, edition, packed):
    data = EDITIONS[edition].encode()
    path = opener.folder / "fer.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    for usage in fer2013.USAGES:
        rows = [i for i, of in enumerate(USAGES) if of == usage]
        dataset = opener("fer2013", "fer.csv", split=usage)
        assert (dataset.images[..., 0] == IMAGES[rows]).all()
        assert dataset.images.dtype == np.uint8
        assert dataset.labels.tolist() == [LABELS[i] for i in rows]
        assert (dataset.split, len(dataset)) == (usage, len(rows))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: "\ufeff" + text, id="BOM"),
        pytest.param(lambda text: text + "\n\r\n  \n", id="blank lines at the end"),
        pytest.param(lambda text: text.rstrip("\n"), id="no end of line at the end"),
        pytest.param(lambda text: text.replace(",", " , "), id="blanks round commas"),
        pytest.param(lambda text: text.replace(f",{ROW},", f',"{ROW}",'), id="quotes"),
        pytest.param(lambda text: text.replace(" ", "  "), id="two blanks between pixels"),
        pytest.param(lambda text: text.replace("emotion", "EMOTION"), id="capitals in the header"),
    ],
)
def test_harmless_differences_change_nothing(opener, change):
    (opener.folder / "plain.csv").write_text(EDITIONS["kaggle"])
    (opener.folder / "changed.csv").write_bytes(change(EDITIONS["kaggle"]).encode())
    plain, changed = (opener("fer2013", f"{n}.csv", split="Training") for n in ("plain", "changed"))
    assert plain.digest == changed.digest


def test_a_course_training_file_is_one_split_and_a_held_out_share(opener):
    (opener.folder / "train.csv").write_text(course(noise(40), [n % 7 for n in range(40)]))
    whole = opener("fer2013", "train.csv")
    assert (whole.split, len(whole)) == ("all", 40)
    train, heldout = (opener("fer2013", "train.csv", split=s) for s in ("train", "heldout"))
    assert (len(train), len(heldout)) == (36, 4)


def test_a_course_test_file_has_no_labels(opener):
    (opener.folder / "test.csv").write_text(unlabelled(IMAGES))
    dataset = opener("fer2013", "test.csv")
    assert dataset.labels is None
    assert (dataset.images[..., 0] == IMAGES).all()
    assert len(dataset.classes) == 7


def test_classes_have_chinese_and_english_names(opener):
    (opener.folder / "train.csv").write_text(course(IMAGES, LABELS))
    names = opener("fer2013", "train.csv").classes
    assert [n.in_language("zh-Hant") for n in names] == [
        "生氣",
        "厭惡",
        "恐懼",
        "高興",
        "難過",
        "驚訝",
        "中立",
    ]
    assert names[3].in_language("en") == "happy"


def test_classes_can_be_named_in_the_report(opener):
    (opener.folder / "train.csv").write_text(course(IMAGES, LABELS))
    some = opener("fer2013", "train.csv", classes={3: "joy", 0: {"en": "rage", "fr": "rage!"}})
    assert some.classes[3].in_language("zh-Hant") == "joy"
    assert some.classes[0].in_language("fr") == "rage!"
    assert some.classes[1].in_language("en") == "disgust"
    every = opener("fer2013", "train.csv", classes=list("abcdefg"))
    assert [name.in_language("en") for name in every.classes] == list("abcdefg")
    with pytest.raises(DataError, match=r"no label 7; expected 0 … 6"):
        opener("fer2013", "train.csv", classes={7: "other"})


def test_pictures_may_not_be_redistributed(opener):
    (opener.folder / "train.csv").write_text(course(IMAGES, LABELS))
    dataset = opener("fer2013", "train.csv")
    assert not dataset.redistributable
    assert "FER2013" in dataset.licence


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"0,{SHORT}", "2303 pixels; expected 2304 (48×48)"),
        (f"0,{ROW} 7", "2305 pixels"),
        ("0,", "0 pixels"),
        (f"0,{SHORT} 256", "value '256' is outside 0…255"),
        (f"0,{SHORT} 0255", "value '0255' is outside 0…255"),
        (f"0,{SHORT} -1", "value '-1' is outside 0…255"),
        (f"0,{SHORT} 1.5", "'1.5' is not a whole number"),
        (f"0,{SHORT} ten", "'ten' is not a whole number"),
        (f"0,{SHORT} 1\x002", r"'1\x002' is not a whole number"),
        (f"0,{SHORT} " + "9" * 5000, "is outside 0…255"),
        (f"7,{ROW}", "label '7'; expected 0 … 6"),
        (f"-1,{ROW}", "label '-1'"),
        (f"happy,{ROW}", "label 'happy'"),
        (f",{ROW}", "label ''"),
        (f"0,{ROW},Training", "3 columns; expected 2"),
        ("0", "1 columns; expected 2"),
        ("", "an empty line"),
    ],
)
def test_a_bad_row_is_said_with_its_line(opener, row, said):
    text = lines("label,feature", [f"0,{ROW}", row, f"0,{ROW}"])
    message = broken(opener, text)
    assert message.startswith("fer2013.csv:3: ")
    assert said in message
    assert len(message) < 200


def test_a_strange_usage_is_said(opener):
    message = broken(opener, kaggle(IMAGES[:2], LABELS[:2], ["Training", "Public"]))
    assert message.startswith("fer2013.csv:3: Usage 'Public'; expected Training, PublicTest or")


def test_the_first_ten_places_and_the_total_are_said(opener):
    rows = [f"0,{ROW}" if n % 2 else f"0,{n}" for n in range(50)]
    message = broken(opener, lines("label,feature", rows)).splitlines()
    assert message[0] == "fer2013.csv: 25 bad rows, the first 10:"
    assert [line.split(":")[1] for line in message[1:]] == [str(n) for n in range(2, 22, 2)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"\n \n", "an empty file"),
        (b"\nlabel,feature\n", "fer2013.csv:1: the header is ''; expected"),
        (b"label,feature\n", "no rows"),
        (b"label,feature\n\n\n", "no rows"),
        (b"a,b,c\n1,2,3\n", "expected emotion,pixels,Usage or"),
        (b"label,label,feature\n", "the header is"),
        (b"emotion,Usage\n", "the header is"),
        (f"0,{ROW}\n".encode(), "the header is"),
        ("label,feature\n".encode("utf-16"), "the header is"),
        (b"a," * 1_000_000, "a line of more than"),
        (b"label,feature\n" + b"1," * 1_000_000, "2: a line of more than"),
        (b"label,feature\n0," + b"1 " * 1_000_000, "2: a line of more than"),
        (b"label,feature\n" + bytes(2_000_000), "2: a line of more than"),
        (b"label,feature\n" + b"x\n" * 300_000, "100,000 or more bad rows"),
        (b"label,feature\n" + b"\n" * 300_000, "an empty line"),
        (gzip.compress(EDITIONS["kaggle"].encode())[:-30], "truncated or damaged"),
        (b"\x1f\x8b\x08 not gzip at all", "truncated or damaged"),
    ],
    ids=[
        "empty",
        "nothing but blanks",
        "header in line 2",
        "header alone",
        "blank",
        "foreign",
        "column twice",
        "no pixels",
        "no header",
        "UTF-16",
        "a million columns",
        "columns",
        "huge field",
        "NULs",
        "garbage",
        "newlines",
        "cut gzip",
        "false gzip",
    ],
)
def test_a_file_that_is_none_is_refused(opener, data, said):
    assert said in broken(opener, data)


@pytest.mark.parametrize("block", [20_011, 64, 1])
@pytest.mark.parametrize("blanks", [100, 101, 250])
def test_blank_lines_at_the_end_are_told_alike_in_any_blocks(opener, monkeypatch, blanks, block):
    (opener.folder / "train.csv").write_text(course(IMAGES[:1], LABELS[:1]) + "\n" * blanks)
    monkeypatch.setattr(fer2013, "_BLOCK", block)
    if blanks <= 100:
        assert len(opener("fer2013", "train.csv")) == 1
        return
    with pytest.raises(DataError, match=f"{blanks} bad rows, the first 10"):
        opener("fer2013", "train.csv")


def test_a_file_that_expands_beyond_reason_is_refused(opener, monkeypatch):
    monkeypatch.setattr(source, "FREE", 100_000)
    data = gzip.compress(lines("label,feature", [f"0,{ROW}"] * 300).encode())
    assert "expands to more than 30 times its size" in broken(opener, data)


def test_what_is_no_file_is_refused(opener):
    with pytest.raises(DataError, match="there is no such file"):
        opener("fer2013", "missing.csv")
    with pytest.raises(DataError, match="expected a file"):
        opener("fer2013", ".")
    with pytest.raises(DataError, match="not a regular file"):
        opener("fer2013", "/dev/zero")
    with pytest.raises(DataError, match="null"):
        opener("fer2013", "a\0b")


def test_a_fault_leaves_nothing_in_the_cache(opener):
    broken(opener, lines("label,feature", [f"0,{ROW}", "0,1"]))
    assert not [p for p in (opener.cache / "data").iterdir() if p.is_dir()]


def test_a_file_of_many_blocks_is_read_in_order(opener, monkeypatch):
    images, labels = noise(64), [n % 7 for n in range(64)]
    (opener.folder / "train.csv").write_text(course(images, labels))
    monkeypatch.setattr(fer2013, "_BLOCK", 20_011)
    dataset = opener("fer2013", "train.csv")
    assert (dataset.images[..., 0] == images).all()
    assert dataset.labels.tolist() == labels
