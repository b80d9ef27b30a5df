"""The catalogues: every text translated, with the same placeholders, and nothing left over."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tests.render.texts import texts_in_use

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = sorted(ROOT.glob("templates/locale/*/LC_MESSAGES/fervis.po"))
HINT = "run tools/update_catalogue.py, then translate what is empty"


def _entries(file: Path) -> dict[str, str]:
    return {entry.id: entry.string for entry in read_po(io.BytesIO(file.read_bytes())) if entry.id}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_traditional_chinese_is_there() -> None:
    assert "zh_Hant" in {file.parts[-3] for file in CATALOGUES}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_every_text_is_translated_and_none_is_obsolete(file: Path) -> None:
    wanted, entries = texts_in_use(ROOT), _entries(file)
    missing = {text: places for text, places in wanted.items() if not entries.get(text)}
    assert not missing, HINT
    assert not set(entries) - set(wanted), HINT


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_translations_keep_their_placeholders(file: Path) -> None:
    for text, translation in _entries(file).items():
        assert _fields(translation) == _fields(text), text


def test_chinese_is_written_with_full_width_punctuation() -> None:
    file = next(file for file in CATALOGUES if file.parts[-3] == "zh_Hant")
    for text, translation in _entries(file).items():
        between = any(
            mark in ",;?!" and "\u4e00" <= before <= "\u9fff"
            for before, mark in pairwise(translation)
        )
        assert not between, f"{text}: {translation}"
