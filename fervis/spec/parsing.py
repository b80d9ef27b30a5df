"""From YAML text to a tree.

The tree is built from the parser's events by a loop, not by recursion, so that no file can
exhaust the stack; aliases, anchors and tags are complained about instead of being followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from fervis.errors import ReportError
from fervis.spec.complaints import Complaints, Place
from fervis.spec.phrases import quoted
from fervis.spec.report import Path_
from fervis.spec.scalars import plain_value
from fervis.spec.source import FORBIDDEN
from fervis.spec.syntax import explained
from fervis.spec.tree import Items, Key, Node, Pair, Pairs, Scalar, key_of

_STANDARD = "tag:yaml.org,2002:"  # what `!!` stands for
DEEPEST = 50  # levels; a report needs about ten
MOST_VALUES = 50_000  # a report with a thousand pictures and notes on each needs some 20,000


def parse(text: str, complaints: Complaints, override: str = "") -> Node:
    """The tree of ``text``. Raises ReportError where the rest of the text cannot be understood."""
    builder = _Builder(complaints, override)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        line, column, message = explained(error, text)
        complaints.add(Place(line, column, override), (), message)
        complaints.raise_if_any()
    root = builder.root or Scalar("", None, Place(1, 1, override))
    if isinstance(root, Scalar) and root.value is None and not override:
        raise builder.stop(root.place, "the file is empty; `fervis init` makes one to start from")
    return root


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; ``key`` waits for its value."""

    node: Items | Pairs
    path: Path_
    key: tuple[Key, str, Place] | None = None
    waits: bool = False  # for the value of ``key`` (None: a key that was refused)


class _Builder:
    def __init__(self, complaints: Complaints, override: str) -> None:
        self.root: Node | None = None
        self._complaints = complaints
        self._override = override
        self._open: list[_Open] = []
        self._documents = self._values = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.NodeEvent):
            self._value(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self.stop(
                    self._place(event), "a second document begins here; remove the line `---`"
                )

    def stop(self, place: Place, text: str) -> ReportError:
        """Complains about something after which nothing more can be read."""
        self._complaints.add(place, self._path(), text)
        try:
            self._complaints.raise_if_any()
        except ReportError as error:
            return error
        raise AssertionError  # there was a complaint

    def _value(self, event: yaml.NodeEvent) -> None:
        place = self._place(event)
        self._values += 1
        if self._values > MOST_VALUES:
            raise self.stop(place, f"the file has more than {MOST_VALUES} values")
        if len(self._open) >= DEEPEST:
            raise self.stop(place, f"nested more than {DEEPEST} levels deep; is a bracket missing?")
        self._refuse_references(event, place)
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_characters(event.value, place)
            plain = event.implicit[0] and not event.tag
            value = plain_value(event.value) if plain else event.value
            self._attach(Scalar(event.value, value, place), place, plain)
        elif isinstance(event, yaml.AliasEvent):
            self._attach(Scalar("", None, place), place, plain=False)
        else:
            mapping = isinstance(event, yaml.MappingStartEvent)
            collection = Pairs(place) if mapping else Items(place)
            self._open.append(_Open(collection, self._attach(collection, place, plain=False)))

    def _attach(self, node: Node, place: Place, plain: bool) -> Path_:
        """Puts ``node`` where it belongs and returns its path."""
        if not self._open:
            self.root = node
            return ()
        parent = self._open[-1]
        if isinstance(parent.node, Items):
            parent.node.nodes.append(node)
            return (*parent.path, len(parent.node.nodes) - 1)
        if not parent.waits:
            parent.waits, parent.key = True, self._key(parent.node, node, place, plain)
            return parent.path
        path = self._path()
        if parent.key is not None:
            key, literal, key_place = parent.key
            parent.node.pairs[key] = Pair(literal, key_place, node)
        parent.waits, parent.key = False, None
        return path

    def _key(
        self, parent: Pairs, node: Node, place: Place, plain: bool
    ) -> tuple[Key, str, Place] | None:
        if not isinstance(node, Scalar) or not node.literal:
            self._complain(place, "a key has to be a word, a number or a text in quotes")
            return None
        key = key_of(node.literal, plain)
        if key in parent.pairs:
            first = parent.pairs[key].place
            self._complaints.add(
                place,
                (*self._open[-1].path, key),
                f"the key {quoted(node.literal)} is written twice in one mapping "
                f"(first in line {first.line}); remove one of them",
            )
            return None
        return key, node.literal, place

    def _refuse_references(self, event: yaml.NodeEvent, place: Place) -> None:
        if isinstance(event, yaml.AliasEvent):
            name = quoted("*" + (event.anchor or ""))
            self._complain(
                place,
                f"{name} is a YAML alias, which a report must not have; "
                "write the value itself (or put a text that begins with * in quotes)",
            )
        elif event.anchor:
            self._complain(
                place,
                f"{quoted('&' + event.anchor)} is a YAML anchor, which a report "
                "must not have; remove it (or put a text that begins with & in quotes)",
            )
        if tag := getattr(event, "tag", None):
            written = tag.replace(_STANDARD, "!!")
            self._complain(
                place,
                f"{quoted(written)} is a YAML tag, which a report must not have; "
                "remove it (or put a text that begins with ! in quotes)",
            )

    def _refuse_characters(self, text: str, place: Place) -> None:
        if found := FORBIDDEN.search(text):
            self._complain(
                place,
                f"the text contains the control character U+{ord(found[0]):04X}; in double quotes "
                "a backslash begins an escape: use single quotes or none",
            )

    def _complain(self, place: Place, text: str) -> None:
        self._complaints.add(place, self._path(), text)

    def _path(self) -> Path_:
        if not self._open:
            return ()
        parent = self._open[-1]
        if isinstance(parent.node, Items):
            return (*parent.path, len(parent.node.nodes))
        return (*parent.path, parent.key[0]) if parent.key else parent.path

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Place(line + 1, column + 1, self._override)
