"""Which versions of libraries are installed, asked without importing them."""

from __future__ import annotations

import functools
import importlib.metadata
import re

_VERSION = re.compile(r"^Version:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)


@functools.cache
def version(name: str) -> str:
    """The installed version of a distribution. Raises PackageNotFoundError.

    The standard library reads the whole of a README as an e-mail for it, which takes milliseconds
    for each of a dozen libraries.
    """
    distribution = importlib.metadata.distribution(name)
    head = (distribution.read_text("METADATA") or "").partition("\n\n")[0]
    found = _VERSION.search(head)
    return found[1] if found else distribution.version
