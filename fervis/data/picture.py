"""One picture file of a stranger's, decoded to a plain gray or colour picture or refused."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fervis.data.faults import excerpt

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
)
MAX_BYTES = 64 << 20
MAX_PIXELS = 50_000_000
MAX_SLOW_BYTES = 16 << 20  # of files that Pillow decodes number by number
_SLOW = ("ppm_plain", "bmp_rle")
_SCANS, _SCANNED = 20, 1_000_000_000  # of a JPEG file, which may go over its pixels again and again
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_ORIENTATION = 0x0112
_UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation → Image.Transpose
_BEHIND = (255, 255, 255)  # what shines through transparent pixels
_FOREIGN = re.compile(rb"<script|<html|<!doctype|<\?php|<svg\s", re.IGNORECASE)


class NotAPictureError(Exception):
    """What is wrong with the file."""


def decoded(data: bytes, channels: int) -> Image:
    """The first frame, upright, in mode L (``channels`` 1) or RGB (3). Raises NotAPictureError.

    16-bit gray is divided by 257, transparent pixels lie on white, colour turns gray by luma.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise NotAPictureError("an empty file")
    if foreign := _foreign(data):
        raise NotAPictureError(f"refused: {foreign} hidden in a picture file")
    try:
        with _whole(), warnings.catch_warnings():  # odd metadata are no concern of the reader's
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decoded(data, "L" if channels == 1 else "RGB")
    except NotAPictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPictureError("refused: a decompression bomb") from error
    except UnidentifiedImageError as error:
        raise NotAPictureError(f"not a picture; it begins with {excerpt(data, 12)}") from error
    except Exception as error:  # decoders raise whatever a broken file leads them into
        raise NotAPictureError(f"a broken picture ({error})") from error


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """A truncated picture is an error, though a library (WeasyPrint does) had it grayed out."""
    from PIL import ImageFile

    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _decoded(data: bytes, mode: str) -> Image:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        width, height = picture.size
        if not 0 < width * height <= MAX_PIXELS:
            raise NotAPictureError(
                f"refused: {width}×{height} pixels; expected at most {MAX_PIXELS:,}"
            )
        _refuse_endless(picture, data)
        picture.load()
        plain = _plain(picture)
        turn = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1))
    if turn is not None:
        plain = plain.transpose(Image.Transpose(turn))
    return plain if plain.mode == mode else plain.convert(mode)


def _refuse_endless(picture: ImageFile, data: bytes) -> None:
    """Raises NotAPictureError for a picture whose decoding would take more than seconds."""
    if len(data) > MAX_SLOW_BYTES and any(tile[0] in _SLOW for tile in picture.tile):
        raise NotAPictureError(f"refused: more than {MAX_SLOW_BYTES:,} bytes of this slow format")
    most = max(_SCANS, _SCANNED // (picture.width * picture.height))
    if picture.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > most:
        raise NotAPictureError(f"refused: a JPEG picture of more than {most} scans")


def _plain(picture: Image) -> Image:
    """Mode L or RGB."""
    from PIL import Image

    if picture.mode == "F":
        raise NotAPictureError("floating-point pixels; save it with 8 or 16 bits")
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65535:
            raise NotAPictureError("32-bit pixels; save it with 8 or 16 bits")
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        top = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        plain = Image.new("RGB", picture.size, _BEHIND)
        plain.paste(top, mask=top.getchannel("A"))
        return plain
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _foreign(data: bytes) -> str:
    """What other kind of file this is at the same time, if it is one."""
    if b"PK\x05\x06" in data[-66_000:] and b"PK\x03\x04" in data:
        return "a ZIP archive"
    if b"%PDF-" in data[:1024]:
        return "a PDF file"
    if _FOREIGN.search(data):
        return "a web page or script"
    return ""
