"""The inputs that fuzz runs kept: one archive per target, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz.seeds import SEEDS

_FOLDER = Path(__file__).parent / "corpus"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def inputs(target: str) -> list[bytes]:
    """What is kept for a target, beginning with the seeds."""
    kept: list[bytes] = list(SEEDS[target])
    if (archive := _archive(target)).exists():
        with zipfile.ZipFile(archive) as file:
            kept += [file.read(name) for name in file.namelist()]
    return list(dict.fromkeys(kept))


def unpack(target: str, folder: Path) -> None:
    """Writes every input to a file of its own, as libFuzzer wants them."""
    for content in inputs(target):
        (folder / _name(content)).write_bytes(content)


def pack(target: str, contents: Iterable[bytes]) -> None:
    """Keeps ``contents``, in the order of their names."""
    named = {_name(content): content for content in contents if content not in SEEDS[target]}
    with zipfile.ZipFile(_archive(target), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in sorted(named):
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, named[name])


def _archive(target: str) -> Path:
    return _FOLDER / f"{target}.zip"


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
