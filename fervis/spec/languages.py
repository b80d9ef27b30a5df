"""Every text in every language of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fervis.spec.complaints import Complaints
from fervis.spec.phrases import listed, quoted
from fervis.spec.report import Path_
from fervis.spec.shape import LANGUAGE
from fervis.spec.tree import Node, key_place_of, place_of
from fervis.text import ANY, Text


def check(
    texts: Iterable[tuple[Path_, Text]],
    languages: Sequence[str],
    root: Node,
    complaints: Complaints,
) -> None:
    """Complains about texts that lack one of ``languages``, and about keys that are none.

    A text may have more languages than the report, so that a report can be narrowed to one.
    """
    for path, text in texts:
        keys = [key for key in text.by_language if key != ANY]
        strange = [key for key in keys if not re.match(LANGUAGE, key)]
        for key in strange:
            hint = complaints.hint(key, languages)
            wanted = f"{quoted(key)} is no language; expected {listed(languages, 'and')}{hint}"
            complaints.add(key_place_of(root, (*path, key)), (*path, key), wanted)
        missing = [tag for tag in languages if tag not in keys and tag.split("-")[0] not in keys]
        if keys and missing and not strange:
            wanted = f"this text has nothing in {listed(missing)}; it has {listed(keys, 'and')}"
            complaints.add(place_of(root, path), path, wanted)
