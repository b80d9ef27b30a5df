"""Pages, and parts of pages, that say what they said in the last build: recalled, not rendered."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from fervis.installed import version
from fervis.render.seal import place_of, put_by_sealed, recall_sealed

_MADE_WITH = ("jinja2", "markupsafe", "markdown-it-py", "nh3", "babel", "numpy")


@dataclass(frozen=True)
class Piece:
    """HTML as it was rendered, and the formulas in it: (LaTeX, whether it stands alone)."""

    html: str
    formulas: Sequence[tuple[str, bool]] = ()


class Memory:
    """The pieces of the last build of ``site`` by their place (``en/index.html/q1-2``).

    They lie in ``cache``. ``made_by`` tells one state of fervis and of its templates from another.
    """

    def __init__(self, cache: Path, site: Path | None, made_by: str) -> None:
        self._cache = cache
        self._place = place_of("pages", site)
        self._used: set[str] = set()
        self._digests: dict[int, tuple[object, str]] = {}  # by id, of objects that are kept for it
        self._made_by = " ".join([made_by, *(f"{name} {version(name)}" for name in _MADE_WITH)])

    def piece(self, place: str, stands_on: Sequence[object], make: Callable[[], Piece]) -> Piece:
        """What ``make()`` gives, or gave when ``stands_on``, all that decides it, was the same."""
        recipe = " ".join([self._made_by, *map(self._digest, stands_on)])
        name = place.replace("/", "-")
        self._used.add(name)
        place = f"{self._place}/{name}"
        stored = recall_sealed(self._cache, place, recipe)
        if stored is not None:
            html, formulas = json.loads(stored)
            return Piece(html, [(latex, display) for latex, display in formulas])
        piece = make()
        content = json.dumps([piece.html, list(piece.formulas)], ensure_ascii=False).encode()
        put_by_sealed(self._cache, place, recipe, content)
        return piece

    def forget_others(self) -> None:
        """Drops pieces that were not asked for: of pictures, say, that the report had once."""
        with contextlib.suppress(OSError):
            for file in (self._cache / "last" / self._place).iterdir():
                if file.name not in self._used:
                    file.unlink()

    def _digest(self, value: object) -> str:
        """Of a value that the pages of several languages show it is taken once."""
        known = self._digests.get(id(value))
        if known is None:
            known = self._digests[id(value)] = value, digest_of(value)
        return known[1]


def digest_of(value: object) -> str:
    """A hash of frozen dataclasses, sequences, arrays and options, by all that is in them.

    Another hash need not mean another value; the same one does mean the same value.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, 5).dump(value)
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


class _Pickler(pickle.Pickler):
    """Pickles are only hashed here, never read."""

    def reducer_override(self, value: Any) -> Any:
        """Arrays by their bytes; options without pydantic's set of names, which has no order."""
        if isinstance(value, np.ndarray):
            return bytes, (f"{value.dtype} {value.shape} ".encode() + value.tobytes(),)
        if isinstance(value, BaseModel):
            return str, (f"{type(value).__qualname__} {value.model_dump_json()}",)
        return NotImplemented
