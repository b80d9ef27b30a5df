"""Everything that is wrong with a file: the first ten places and how many there are."""

from __future__ import annotations

from collections.abc import Iterable

from fervis.errors import DataError

SHOWN = 10
HOPELESS = 100_000  # faults after which reading stops


class Faults:
    """Gathers faults while a data set is read, then raises them all at once."""

    def __init__(self, name: str, noun: str) -> None:
        self.name, self.noun = name, noun
        self.total = 0
        self._shown: list[str] = []

    def __bool__(self) -> bool:
        return self.total > 0

    @property
    def wants_more(self) -> bool:
        """Whether the next fault will be shown: only then is its text worth making."""
        return self.total < SHOWN

    def add(self, place: str | int = "", text: str = "") -> None:
        """One more fault; ``place`` is a line number or a name below ``name``.

        Raises DataError when there are so many that reading on is pointless.
        """
        if self.wants_more:
            where = f"{self.name}:{place}" if place else self.name
            self._shown.append(printable(f"{where}: {text}"))
        self.total += 1
        if self.total == HOPELESS:
            self.raise_any()

    def raise_any(self) -> None:
        """Raises DataError if there was a fault."""
        if not self.total:
            return
        if self.total == 1:
            raise DataError(self._shown[0])
        total = f"{self.total:,}{' or more' if self.total == HOPELESS else ''} {self.noun}"
        more = f", the first {SHOWN}" if self.total > SHOWN else ""
        head = printable(f"{self.name}: {total}{more}:")
        raise DataError("\n  ".join([head, *self._shown]))


def printable(text: str) -> str:
    """``text`` without what a terminal or a UTF-8 file could stumble over."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def excerpt(found: bytes | str, length: int = 24) -> str:
    """The beginning of what was found instead, in quotes."""
    text = found[: 4 * length].decode("utf-8", "replace") if isinstance(found, bytes) else found
    return f"'{printable(text[:length])}{'…' if len(found) > length else ''}'"


def one_of(words: Iterable[str], wrong: str = "") -> str:
    """``a, b or c``, and what ``wrong`` may have meant."""
    import difflib

    words = list(words)
    text = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    near = difflib.get_close_matches(wrong.casefold(), {w.casefold(): w for w in words}, n=1)
    if near:
        text += f" (did you mean {next(w for w in words if w.casefold() == near[0])}?)"
    return text
