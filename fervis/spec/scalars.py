"""What an unquoted YAML scalar means: the core schema of YAML 1.2.

So ``no``, ``yes``, ``on``, ``12:30``, ``2024-01-05`` and ``None`` are texts, unlike in YAML 1.1.
"""

from __future__ import annotations

import re

Plain = str | int | float | bool | None

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_LONGEST_NUMBER = 40  # characters; what is longer is an identifier, not a quantity


def plain_value(literal: str) -> Plain:
    """The value of the unquoted scalar ``literal``."""
    if literal in _NULL:
        return None
    if literal in _BOOL:
        return _BOOL[literal]
    if len(literal) > _LONGEST_NUMBER:
        return literal
    if _INT.fullmatch(literal):
        return int(literal)
    if _OTHER_BASE.fullmatch(literal):
        return int(literal, base=0)
    if _FLOAT.fullmatch(literal):
        return float(re.sub(r"\.(?=[a-zA-Z])", "", literal))  # Python writes inf and nan
    return literal
