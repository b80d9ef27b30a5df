"""What the analyses in use say about themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from fervis.render.document import Document, Method
from fervis.text import Message

_URL = re.compile(r"https?://\S+")


def with_methods(document: Document, modules: Mapping[str, Any]) -> Document:
    """``document`` with a Method for every analysis it uses, in the order of first use.

    ``modules`` are the analyses by name; methods that the document has already stay as they are.
    """
    used = dict.fromkeys(
        block.part.analysis
        for blocks in document.answers
        for block in blocks
        if block.part.analysis in modules or block.part.analysis in document.methods
    )
    methods = {name: document.methods.get(name) or method_of(modules[name]) for name in used}
    return dataclasses.replace(
        document, methods={name: method for name, method in methods.items() if method}
    )


def method_of(module: Any) -> Method | None:
    """The words of an analysis module: TITLE, ANSWERS, FORMULA, LIMITS, PAPER; None without."""
    title = getattr(module, "TITLE", None)
    if not isinstance(title, Message):
        return None
    paper = str(getattr(module, "PAPER", ""))
    found = _URL.search(paper)
    return Method(
        title,
        getattr(module, "ANSWERS", title),
        str(getattr(module, "FORMULA", "")),
        getattr(module, "LIMITS", None),
        (paper[: found.start()].rstrip(" ,;") if found else paper),
        found[0] if found else "",
    )
