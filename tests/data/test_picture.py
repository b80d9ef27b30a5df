"""Picture files of every sort, decoded or refused."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from fervis.data.picture import NotAPictureError, decoded
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")

RAMP = np.arange(48 * 32, dtype=np.uint32).reshape(48, 32) * 255 // (48 * 32 - 1)
GRAY = RAMP.astype(np.uint8)


def saved(picture: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def gray(data: bytes) -> np.ndarray:
    return np.asarray(decoded(data, 1)).astype(int)


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG file that claims a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG", "PPM"])
def test_every_format_gives_the_same_picture(form):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(form, {})
    found = gray(saved(Image.fromarray(GRAY), form, **options))
    assert np.abs(found - GRAY).max() <= (2 if form in ("JPEG", "WEBP") else 0)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(form, orientation):
    turns = [
        lambda a: a,
        np.fliplr,
        lambda a: np.rot90(a, 2),
        np.flipud,
        np.transpose,
        lambda a: np.rot90(a, -1),
        lambda a: np.rot90(a, 2).T,
        np.rot90,
    ]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(form, {})
    found = gray(saved(Image.fromarray(GRAY), form, exif=exif, **options))
    upright = turns[orientation - 1](GRAY).astype(int)
    assert found.shape == upright.shape
    assert np.abs(found - upright).max() <= 4


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_become_8_by_scaling(form):
    values = (RAMP * 257).astype(np.uint16)
    assert (gray(saved(Image.fromarray(values), form)) == RAMP).all()
    assert (
        gray(saved(Image.fromarray((RAMP * 257 + 128).clip(0, 65535).astype(np.uint16)), form))
        == RAMP
    ).all()


def test_32_bits_and_floats_are_refused():
    for values in (RAMP.astype(np.int32) * 100_000, RAMP.astype(np.float32)):
        with pytest.raises(NotAPictureError, match="save it with 8 or 16 bits"):
            decoded(saved(Image.fromarray(values), "TIFF"), 1)


def test_colour_turns_gray_by_luma_and_gray_stays_gray_in_colour():
    colour = Image.new("RGB", (4, 4), (200, 100, 50))
    assert gray(saved(colour, "PNG"))[0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    wide = np.asarray(decoded(saved(Image.fromarray(GRAY), "PNG"), 3))
    assert wide.shape == (48, 32, 3)
    assert (wide == GRAY[..., None]).all()


def test_cmyk_palette_and_bilevel_are_read():
    red = Image.new("RGB", (8, 8), (250, 0, 0))
    cmyk = np.asarray(decoded(saved(red.convert("CMYK"), "JPEG", quality=100), 3)).astype(int)
    assert np.abs(cmyk[0, 0] - (250, 0, 0)).max() < 12
    assert tuple(np.asarray(decoded(saved(red.quantize(4), "PNG"), 3))[0, 0]) == (250, 0, 0)
    assert gray(saved(Image.new("1", (8, 8), 1), "PNG"))[0, 0] == 255


def test_transparent_pixels_lie_on_white():
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 51))
    assert gray(saved(half, "PNG"))[0, 0] == 204
    assert gray(saved(Image.new("LA", (4, 4), (0, 0)), "PNG"))[0, 0] == 255
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([10, 20, 30] * 256)
    assert gray(saved(palette, "PNG", transparency=0))[0, 0] == 255


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_of_an_animation_counts(form):
    frames = [Image.new("L", (8, 8), value) for value in (40, 200)]
    data = saved(frames[0], form, save_all=True, append_images=frames[1:])
    assert abs(gray(data)[0, 0] - 40) <= 2


@pytest.mark.parametrize(
    "data", [png(30_000, 30_000), png(7_000, 8_000), png(2**31 - 1, 2**31 - 1), png(12_000, 12_000)]
)
def test_decompression_bombs_are_refused(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotAPictureError, match="refused"):
            decoded(data, 1)


def test_a_jpeg_that_repeats_its_scans_is_refused():
    """Each takes a hundred bytes and goes over all pixels: 64 MB would take hours."""
    data = saved(Image.new("L", (7000, 7000), 128), "JPEG", progressive=True)
    scan = data[data.rfind(b"\xff\xc4") : -2]
    assert decoded(data, 1).size == (7000, 7000)
    with pytest.raises(NotAPictureError, match="scans"):
        decoded(data[:-2] + 2000 * scan + data[-2:], 1)


@pytest.mark.parametrize(
    "data",
    [
        b"P2 5000 5000 255\n" + b"0 " * 25_000_000,
        b"P3 3000 3000 255\n" + b"0 " * 27_000_000,
        b"BM" + struct.pack("<IHHI", 40_001_080, 0, 0, 1078)
        + struct.pack("<IiiHHIIiiII", 40, 7000, 7000, 1, 8, 1, 0, 1, 1, 256, 0)
        + bytes(1024) + b"\x01\x00" * 20_000_000,
    ],
    ids=["P2", "P3", "BMP RLE"],
)  # fmt: skip
def test_formats_that_are_slow_to_read_may_not_be_large(data):
    with pytest.raises(NotAPictureError, match="slow"):
        decoded(data, 1)


@pytest.mark.parametrize(
    "data",
    [png(0, 0), png(0, 5), png(5, 5), png(5, 5, b"\0" * 7)],
    ids=["0×0", "0×5", "no pixels", "too few pixels"],
)
def test_pictures_without_their_pixels_are_refused(data):
    with pytest.raises(NotAPictureError):
        decoded(data, 1)


@pytest.mark.parametrize("lenient", [False, True], ids=["", "lenient"])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_truncated_pictures_are_refused(form, lenient, monkeypatch):
    """Also once WeasyPrint has told Pillow to make do with what is there."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    data = saved(Image.fromarray(noise), form)
    for length in (len(data) // 2, 40, 3):
        with pytest.raises(NotAPictureError):
            decoded(data[:length], 1)


def test_files_that_are_something_else_too_are_refused():
    picture = saved(Image.fromarray(GRAY), "JPEG")
    archive = io.BytesIO(picture)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("run.js", "alert(1)")
    for data, what in (
        (archive.getvalue(), "ZIP"),
        (picture + b"<ScRipt>alert(1)</script>", "script"),
        (saved(Image.fromarray(GRAY), "GIF", comment=b"%PDF-1.7"), "PDF"),
        (picture + b"<?php system('id');", "script"),
    ):
        with pytest.raises(NotAPictureError, match=what):
            decoded(data, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='x'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"\0\0\x01\0",
        b"8BPS" + bytes(100),
    ],
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(NotAPictureError):
        decoded(data, 1)
