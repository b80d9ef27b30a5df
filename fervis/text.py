"""Texts that change with the reader's language: what the author wrote and what fervis says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ANY = ""  # the key of a text that is the same in every language


@dataclass(frozen=True)
class Text:
    """What an author wrote: one string for every language, or one string per language tag."""

    by_language: Mapping[str, str]

    @classmethod
    def same(cls, text: str) -> Text:
        """The same string in every language."""
        return cls({ANY: text})

    def in_language(self, language: str) -> str:
        """The text in ``language`` (a BCP 47 tag), else the one for all, else the first one."""
        for key in (language, language.split("-")[0], ANY):
            if key in self.by_language:
                return self.by_language[key]
        return next(iter(self.by_language.values()), "")


@dataclass(frozen=True)
class Message:
    """A sentence of fervis itself: an English ``str.format`` pattern and the values in it.

    The page translates ``msgid`` through the gettext catalogue and then fills in ``values``, of
    which Text and Message are put into the same language first.
    """

    msgid: str
    values: Mapping[str, Any] = field(default_factory=dict)


def message(msgid: str, **values: Any) -> Message:
    """Marks ``msgid`` for extraction into the catalogues and binds its values."""
    return Message(msgid, values)
