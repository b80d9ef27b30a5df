"""A folder of pictures: which files count, in which split and class they are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fervis.data.faults import Faults, printable
from fervis.data.source import blaming
from fervis.errors import DataError

SPLITS = frozenset(
    (
        "train",
        "training",
        "test",
        "testing",
        "val",
        "valid",
        "validation",
        "dev",
        "eval",
        "publictest",
        "privatetest",
    )
)
_IGNORED = frozenset(("thumbs.db", "desktop.ini", "__macosx", "@eadir", "truth.npz"))
"""What systems leave behind, and what `fervis faces` writes beside its pictures."""
DEEPEST = 20


@dataclass(frozen=True)
class Entry:
    """One file: ``label_name`` is the class's folder, None where there are no classes."""

    path: Path
    split: str
    label_name: str | None


@dataclass(frozen=True)
class Tree:
    """What a folder holds; ``classes`` are folder names of all splits, in natural order."""

    entries: tuple[Entry, ...]
    classes: tuple[str, ...]


def natural(name: str) -> tuple[list[tuple[str, int]], str]:
    """Sorting by it puts ``9.jpg`` before ``10.jpg``."""
    parts = re.split(r"([0-9]+)", name)
    return [(p.casefold(), 0) if i % 2 == 0 else ("", int(p)) for i, p in enumerate(parts)], name


def survey(root: Path) -> Tree:
    """Finds every file below ``root``: class/…, split/class/…, or (without labels) files alone.

    Raises DataError for links that lead elsewhere, things that are no files, files beside class
    folders, an empty folder.
    """
    name = printable(root.name or str(root))
    with blaming(root):
        if not stat.S_ISDIR(root.stat().st_mode):
            raise DataError(printable(f"{root}: a file; expected a folder of pictures"))
    faults = Faults(name, "misplaced files")
    folders, files = _children(root, root, faults)
    if folders and all(folder.name.casefold() in SPLITS for folder in folders):
        for file in files:
            faults.add(file.name, "a file beside the folders of splits")
        entries = [
            entry for folder in folders for entry in _split(folder, folder.name, root, faults)
        ]
    else:
        entries = list(_split(root, "all", root, faults))
    faults.raise_any()
    if not entries:
        raise DataError(f"{name}: no files in it; expected class/….jpg or train/class/….jpg")
    classes = sorted({e.label_name for e in entries if e.label_name is not None}, key=natural)
    return Tree(tuple(entries), tuple(classes))


def _split(folder: Path, split: str, root: Path, faults: Faults) -> Iterator[Entry]:
    folders, files = _children(folder, root, faults)
    if not folders:
        yield from (Entry(file, split, None) for file in files)
        return
    for file in files:
        faults.add(_below(file, root), "a file beside the folders of classes")
    for child in folders:
        for file in _walk(child, root, faults):
            yield Entry(file, split, child.name)


def _walk(folder: Path, root: Path, faults: Faults, depth: int = 1) -> Iterator[Path]:
    if depth > DEEPEST:
        faults.add(_below(folder, root), f"folders more than {DEEPEST} deep")
        return
    folders, files = _children(folder, root, faults)
    yield from files
    for child in folders:
        yield from _walk(child, root, faults, depth + 1)


def _children(folder: Path, root: Path, faults: Faults) -> tuple[Sequence[Path], Sequence[Path]]:
    """(folders, files) in natural order, without hidden ones and what systems leave behind."""
    folders, files = [], []
    with blaming(folder), os.scandir(folder) as found:
        children = sorted(found, key=lambda child: natural(child.name))
    for child in children:
        path = Path(child.path)
        if child.name.startswith(".") or child.name.casefold() in _IGNORED:
            continue
        if child.is_symlink() and (wrong := _wrong_link(path, root)):
            faults.add(_below(path, root), wrong)
        elif child.is_dir():
            folders.append(path)
        elif child.is_file():
            files.append(path)
        else:
            faults.add(_below(path, root), "neither a file nor a folder")
    return folders, files


def _wrong_link(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link to nothing"
    if not target.is_relative_to(root.resolve()):
        return "refused: a link that leaves the folder"
    return "a link to a folder; name the folder itself" if target.is_dir() else ""


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
