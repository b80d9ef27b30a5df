"""Every English text that a page may show: from the templates and from ``message("…")`` calls."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_file

OPTIONS = {
    "extensions": "jinja2.ext.i18n",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}


def texts_in_use(root: Path) -> dict[str, list[str]]:
    """msgid → the files that say it, relative to ``root``."""
    found: dict[str, set[str]] = {}
    sources = [
        (file, "jinja2.ext:babel_extract", {"_": None}, OPTIONS)
        for file in sorted((root / "templates").rglob("*.html"))
    ]
    sources += [
        (file, "python", {"message": None, "Message": None}, {})
        for file in sorted((root / "fervis").rglob("*.py"))
        if "_templates" not in file.parts
    ]
    for file, method, keywords, options in sources:
        if method != "python":
            entries = extract_from_file(_jinja, file, keywords=keywords, options=options)
        else:
            entries = extract_from_file(method, file, keywords=keywords, options=options)
        for _, msgid, _, _ in entries:
            if isinstance(msgid, str):
                found.setdefault(msgid, set()).add(file.relative_to(root).as_posix())
    return {msgid: sorted(places) for msgid, places in found.items()}


def _jinja(fileobj, keywords, comment_tags, options):
    from jinja2.ext import babel_extract

    return babel_extract(fileobj, keywords, comment_tags, options)
