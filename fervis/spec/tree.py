"""A report as a tree in which every value knows its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fervis.spec.complaints import Place
from fervis.spec.report import Path_
from fervis.spec.scalars import Plain, plain_value

Key = str | int


@dataclass(slots=True)
class Scalar:
    """One value: ``literal`` as written in the file, ``value`` as YAML reads it."""

    literal: str
    value: Plain
    place: Place


@dataclass(slots=True)
class Items:
    """A list."""

    place: Place
    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Pair:
    """A value with its key: ``literal`` and ``place`` are those of the key."""

    literal: str
    place: Place
    node: Node


@dataclass(slots=True)
class Pairs:
    """A mapping. Keys are whole numbers or texts, in the order of the file."""

    place: Place
    pairs: dict[Key, Pair] = field(default_factory=dict)

    def get(self, key: Key) -> Node | None:
        """The value of ``key``, if there is one."""
        pair = self.pairs.get(key)
        return pair.node if pair else None


Node = Scalar | Items | Pairs


def walk(node: Node, path: Path_ = ()) -> Iterator[tuple[Path_, Node]]:
    """Every node below and including ``node``, with its path."""
    yield path, node
    if isinstance(node, Pairs):
        for key, pair in node.pairs.items():
            yield from walk(pair.node, (*path, key))
    elif isinstance(node, Items):
        for index, item in enumerate(node.nodes):
            yield from walk(item, (*path, index))


def step_into(root: Node, path: Path_) -> tuple[Node, Node | None]:
    """The node at ``path``, or the last one on the way to it; and the node around that."""
    node: Node = root
    parent: Node | None = None
    for step in path:
        if isinstance(node, Pairs) and step in node.pairs:
            parent, node = node, node.pairs[step].node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            parent, node = node, node.nodes[step]
        else:
            break
    return node, parent


def place_of(root: Node, path: Path_) -> Place:
    """The place of the value at ``path``, or of the nearest value around it."""
    return step_into(root, path)[0].place


def key_place_of(root: Node, path: Path_) -> Place:
    """The place of the last key of ``path``, or of the nearest value around it."""
    around, _ = step_into(root, path[:-1])
    if isinstance(around, Pairs) and path[-1] in around.pairs:
        return around.pairs[path[-1]].place
    return around.place


def key_of(literal: str, plain: bool = True) -> Key:
    """A key as the tree has it: a whole number, or the text as written."""
    value = plain_value(literal) if plain else literal
    return value if isinstance(value, int) and not isinstance(value, bool) else literal
