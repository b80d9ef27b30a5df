"""Picture files in folders: ``class/….jpg`` or ``train/class/….jpg``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fervis.data.dataset import Dataset
from fervis.data.faults import Faults, printable
from fervis.data.fit import resized
from fervis.data.options import ClassName, ClassNames, FileOptions, Request, text_of
from fervis.data.picture import MAX_BYTES, NotAPictureError, decoded
from fervis.data.source import blaming, content_hash
from fervis.data.splits import open_one
from fervis.data.store import Recipe, key_of
from fervis.data.tree import DEEPEST, Entry, survey
from fervis.data.writer import Writer
from fervis.errors import DataError
from fervis.text import Text

_ROWS = 64
_VERSION = 1


class Options(FileOptions):
    """``{kind: folder, path: pictures}``."""

    kind: Literal["folder"]
    split: str | None = Field(
        None,
        description="a folder of the first level: train, test, val …; all, train or heldout "
        "where the first level is classes",
    )
    classes: ClassNames | None = Field(
        None,
        description="the classes' folders in label order, or folder: name; otherwise they "
        "are in natural order (2 before 10)",
    )


def sources(options: Options, folder: Path) -> Iterator[Path]:
    """Every file and folder below: pictures come and go."""
    root = options.source(folder)
    waiting = [root]
    while waiting:
        above = waiting.pop()
        if len(above.parts) - len(root.parts) > DEEPEST + 1:
            continue  # survey() refuses it
        yield above
        try:
            with os.scandir(above) as found:
                children = sorted(found, key=lambda child: child.name)
        except OSError:
            continue
        folders = [Path(child.path) for child in children if child.is_dir(follow_symlinks=False)]
        yield from (Path(child.path) for child in children if not child.is_dir())
        waiting.extend(reversed(folders))


def open_split(options: Options, request: Request) -> Dataset:
    """One split, (N, *request.size, request.channels), in natural order of the names."""
    root = options.source(request.folder)
    tree = survey(root)
    order, classes = _classes(tree.classes, options.classes, printable(root.name))
    entries = sorted(tree.entries, key=lambda entry: order.get(entry.label_name or "", 0))
    content = content_hash([entry.path for entry in entries], root, request.store.folder)
    import PIL

    key = key_of(
        "folder",
        _VERSION,
        PIL.__version__,
        content,
        list(order),
        request.size,
        request.channels,
        options.fit,
    )
    recipe = Recipe(key, lambda writer: read(root, entries, order, request, options, writer))
    name, stored = open_one(request, recipe, options, printable(root.name))
    size = f"resized to {request.size[0]}×{request.size[1]} where they were of another size"
    return Dataset(
        stored.images,
        stored.labels,
        classes,
        name,
        stored.digest,
        redistributable=False,
        notes={"size": size},
        places=stored.places,
    )


def _classes(
    folders: tuple[str, ...], given: ClassNames | None, name: str
) -> tuple[dict[str, int], tuple[Text, ...]]:
    """(folder → label, names in label order).

    A list that names the folders says their order; a list of other words names them in natural
    order; a mapping from folders does both.
    """
    if given is None:
        return _numbered(folders), tuple(map(Text.same, folders))
    if isinstance(given, Mapping):
        order = [str(folder) for folder in given]
        names = list(given.values())
    else:
        order = [_folder_of(entry, folders) for entry in given]
        names = list(given)
        if not any(order):
            order = list(folders)
    if sorted(order) != sorted(folders) or len(names) != len(folders):
        raise DataError(
            f"{name}: classes: {', '.join(map(str, map(_first, names)))}; the folders are "
            f"{', '.join(folders) or 'none'}"
        )
    return _numbered(tuple(order)), tuple(map(text_of, names))


def _numbered(folders: tuple[str, ...]) -> dict[str, int]:
    return {folder: label for label, folder in enumerate(folders)}


def _first(name: ClassName) -> str:
    return name if isinstance(name, str) else next(iter(name.values()), "")


def _folder_of(name: ClassName, folders: tuple[str, ...]) -> str:
    """The folder that one of the words for a class means, "" if none does."""
    words = {word.casefold() for word in ([name] if isinstance(name, str) else name.values())}
    return next((folder for folder in folders if folder.casefold() in words), "")


def read(
    root: Path,
    entries: list[Entry],
    order: Mapping[str, int],
    request: Request,
    options: Options,
    writer: Writer,
) -> None:
    """Decodes every picture into ``writer``; raises DataError with the first ten that are none."""
    faults = Faults(printable(root.name), "files that are not readable pictures")
    for split in dict.fromkeys(entry.split for entry in entries):
        members = [entry for entry in entries if entry.split == split]
        for start in range(0, len(members), _ROWS):
            some = members[start : start + _ROWS]
            images = [_decode(entry.path, root, request, options, faults) for entry in some]
            if faults:
                continue
            labels = None
            if some[0].label_name is not None:
                labels = np.array([order[entry.label_name or ""] for entry in some], np.int64)
            names = [entry.path.relative_to(root).as_posix() for entry in some]
            writer.add(
                split, np.stack([image for image in images if image is not None]), labels, names
            )
    faults.raise_any()


def _decode(
    path: Path, root: Path, request: Request, options: Options, faults: Faults
) -> NDArray[np.uint8] | None:
    try:
        with blaming(path), path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise NotAPictureError(f"refused: more than {MAX_BYTES:,} bytes")
        picture = decoded(data, request.channels)
    except NotAPictureError as error:
        faults.add(path.relative_to(root).as_posix(), str(error))
        return None
    pixels = np.asarray(resized(picture, request.size, options.fit))
    return pixels.reshape(*request.size, request.channels)
