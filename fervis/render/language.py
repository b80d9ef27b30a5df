"""Words in one language: gettext catalogues, and numbers as that language writes them."""

from __future__ import annotations

import gettext
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fervis.installed import version
from fervis.render.safe import neutral
from fervis.render.seal import put_by_sealed, recall_sealed
from fervis.text import Message, Text, message

if TYPE_CHECKING:
    from babel import Locale

DOMAIN = "fervis"
_VERSION = 1  # raise it whenever the same catalogues give other words
_TRADITIONAL = ("zh_TW", "zh_HK", "zh_MO")


def locale_name(language: str) -> str:
    """The catalogue folder of a BCP 47 tag: ``zh-Hant`` → ``zh_Hant``."""
    return language.replace("-", "_")


def _candidates(language: str) -> list[str]:
    name = locale_name(language)
    also = ["zh_Hant"] if name in _TRADITIONAL else []
    return list(dict.fromkeys([name, *also, name.split("_")[0]]))


def read_catalogue(language: str, templates: Sequence[Path]) -> dict[str, str]:
    """msgid → translation; folders early in ``templates`` win. English needs no catalogue."""
    return _translations([file.read_bytes() for file in _files(language, templates)])


def _files(language: str, templates: Sequence[Path]) -> Iterator[Path]:
    """The catalogue of each folder that has one."""
    for folder in templates:
        for name in _candidates(language):
            file = folder / "locale" / name / "LC_MESSAGES" / f"{DOMAIN}.po"
            if file.is_file():
                yield file
                break


def _translations(files: Sequence[bytes]) -> dict[str, str]:
    from babel.messages.pofile import read_po

    words: dict[str, str] = {}
    for file in files:
        for entry in read_po(io.BytesIO(file)):
            if isinstance(entry.id, str) and isinstance(entry.string, str) and entry.string:
                words.setdefault(entry.id, entry.string)
    return words


class Catalogue(gettext.NullTranslations):
    """A gettext translation out of a dictionary; what it lacks stays English."""

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__()
        self.words = words

    def gettext(self, message: str) -> str:
        """The translation of ``message``."""
        return self.words.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The translation of either: catalogues here keep no plural forms."""
        return self.gettext(msgid1 if n == 1 else msgid2)


class _Number(float):
    """A number that ``str.format`` writes with the separators of a language."""

    separators: tuple[str, str] = (".", ",")

    def __format__(self, spec: str) -> str:
        if spec.endswith("d") or (spec == "," and self.is_integer()):
            text = format(int(self), spec)
        elif spec:
            text = format(float(self), spec)
        else:
            text = str(int(self)) if self.is_integer() and abs(self) < 1e15 else f"{self:.4g}"
        if self.separators == (".", ","):
            return text
        decimal, group = self.separators
        return text.translate({ord("."): decimal, ord(","): group})


@dataclass(frozen=True)
class Words:
    """Puts texts, messages and numbers into ``language``."""

    language: str
    catalogue: Catalogue
    separators: tuple[str, str]
    name: str  # of the language, in itself

    def say(self, value: object) -> str:
        """Any value of a Document as a plain string of this language."""
        if isinstance(value, Message):
            return self._fill(value)
        if isinstance(value, Text):
            return neutral(value.in_language(self.language))
        if value is None:
            return "—"
        if isinstance(value, bool):
            return self._fill(message("yes") if value else message("no"))
        if isinstance(value, (int, float)):
            return self.number(value)
        return neutral(str(value))

    def number(self, value: float, spec: str = "") -> str:
        """``value`` by a ``str.format`` specification, with this language's separators."""
        if value != value:  # a NaN stands for "no such number", as for an empty class
            return "—"
        if not spec and isinstance(value, int):
            spec = "d"
        return format(self._localised(value), spec)

    def _localised(self, value: float) -> _Number:
        number = _Number(value)
        number.separators = self.separators
        return number

    def _fill(self, sentence: Message) -> str:
        values: dict[str, Any] = {}
        for name, value in sentence.values.items():
            plain = isinstance(value, (int, float)) and not isinstance(value, bool)
            values[name] = self._localised(value) if plain else self.say(value)
        for pattern in (self.catalogue.gettext(sentence.msgid), sentence.msgid):
            try:
                return neutral(pattern.format(**values))
            except (KeyError, IndexError, ValueError, AttributeError):
                continue  # a translation with other placeholders: English is better than nothing
        return neutral(sentence.msgid)


def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    for name in _candidates(language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def words_in(language: str, templates: Sequence[Path], cache: Path | None = None) -> Words:
    """The words of ``language`` from the catalogues in ``templates``, remembered in ``cache``."""
    files = [file.read_bytes() for file in _files(language, templates)]
    digests = [hashlib.sha256(file).hexdigest() for file in files]
    recipe = " ".join([f"{_VERSION} {language} babel {version('babel')}", *digests])
    place = f"words/{locale_name(language)}"
    known = recall_sealed(cache, place, recipe)
    if known is not None:
        decimal, group, name, words = json.loads(known)
        return Words(language, Catalogue(words), (decimal, group), name)
    found = _words(language, files)
    content = [*found.separators, found.name, found.catalogue.words]
    put_by_sealed(cache, place, recipe, json.dumps(content, ensure_ascii=False).encode())
    return found


def _words(language: str, files: Sequence[bytes]) -> Words:
    from babel.numbers import get_decimal_symbol, get_group_symbol

    locale = _locale(language)
    separators = (get_decimal_symbol(locale), get_group_symbol(locale))
    name = locale.languages.get(str(locale)) or locale.get_language_name() or language
    return Words(language, Catalogue(_translations(files)), separators, name)
