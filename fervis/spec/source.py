"""From a path to the text of a report: what is no text, or too much of it, ends here."""

from __future__ import annotations

import re
from pathlib import Path

from fervis.errors import Complaint, ReportError

LARGEST = 1_000_000  # bytes; the longest reports have some 50,000

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that no page can show: XML, HTML and PDF have no place for them."""


def read(path: Path) -> str:
    """The text of ``path`` without its byte order mark; raises ReportError, with a place."""
    try:
        if path.is_dir():
            raise _refused(path, "this is a folder; expected a report file such as report.yaml")
        if not path.exists():
            where = path.absolute().parent
            raise _refused(
                path, f"there is no such file (looked in {where}); `fervis init` makes one"
            )
        if not path.is_file():
            raise _refused(path, "this is not a regular file; expected a YAML text")
        if (size := path.stat().st_size) > LARGEST:
            raise _too_large(path, f"{size / 1e6:.1f} MB")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST:
        raise _too_large(path, "more than 1 MB")
    return _checked(path, _decoded(path, content).removeprefix("\ufeff"))


def _decoded(path: Path, content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refused(path, "the file is UTF-16; save it as UTF-8", 1, 1)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8"))
        text = f"byte 0x{content[error.start]:02X} is not UTF-8; save the file as UTF-8"
        raise _refused(path, f"{text} (is it Big5 or GBK now?)", line, column) from error


def _checked(path: Path, text: str) -> str:
    if found := FORBIDDEN.search(text):
        line, column = _place(text[: found.start()])
        name = "a NUL byte" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
        raise _refused(path, f"{name} is not text; remove it", line, column)
    return text


def _place(before: str) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1


def _too_large(path: Path, size: str) -> ReportError:
    return _refused(path, f"the file has {size}; expected at most {LARGEST / 1e6:.0f} MB")


def _refused(path: Path, text: str, line: int = 0, column: int = 0) -> ReportError:
    return ReportError([Complaint(text, path.name, line, column)])
