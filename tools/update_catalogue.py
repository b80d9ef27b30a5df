"""Brings templates/locale/*/LC_MESSAGES/fervis.po up to date with the texts in use.

New texts are added untranslated, texts that nobody says any more are removed. Translations are
written by hand; ``tests/render/test_catalogue.py`` says which are missing.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.render.texts import texts_in_use  # noqa: E402


def update(file: Path) -> None:
    old = read_po(io.BytesIO(file.read_bytes())) if file.is_file() else Catalog()
    new = Catalog(locale=file.parts[-3], header_comment="", fuzzy=False)
    new.mime_headers = [
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]
    for msgid, places in sorted(texts_in_use(ROOT).items(), key=lambda item: (item[1], item[0])):
        known = old.get(msgid)
        new.add(msgid, known.string if known else "", locations=[(place, None) for place in places])
    buffer = io.BytesIO()
    write_po(buffer, new, width=100, omit_header=False, include_lineno=False)
    lines = buffer.getvalue().decode().split("\n")
    kept = [
        line
        for line in lines
        if not line.startswith(
            (
                '"POT-Creation-Date',
                '"PO-Revision-Date',
                '"Generated-By',
                '"Last-Translator',
                '"Language-Team',
                '"Project-Id',
                '"Report-Msgid',
            )
        )
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(kept), encoding="utf-8")


if __name__ == "__main__":
    for file in sorted(ROOT.glob("templates/locale/*/LC_MESSAGES/fervis.po")):
        update(file)
