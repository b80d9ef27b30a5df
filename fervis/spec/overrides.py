"""``--set images.4=812``: values of the command line take the place of those in the file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fervis.spec.complaints import Complaints, Place
from fervis.spec.parsing import parse
from fervis.spec.report import Path_, dotted
from fervis.spec.tree import Items, Key, Node, Pair, Pairs, Scalar, key_of

_STEP = re.compile(
    r"""\[(?P<index>\d{1,9})\]|\.?(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[^].["'=]+))"""
)
_FORM = "expected path=value, such as images.4=812 or questions[0].answer[1].lime.samples=500"


def override(root: Node, overrides: Sequence[str], complaints: Complaints) -> None:
    """Sets in the tree ``root`` what each of ``overrides`` says (a later one wins)."""
    for text in overrides:
        place = Place(0, 0, text or "''")
        steps, value = _split(text)
        if not steps:
            complaints.add(place, (), f"this sets nothing; {_FORM}")
            continue
        node = parse(value, complaints, text)
        _set(root, steps, node, complaints, place)


def _split(text: str) -> tuple[Path_, str]:
    """The path and the value; an empty path where ``text`` is not of the form."""
    steps: list[Key] = []
    at = 0
    while at < len(text) and text[at] != "=":
        found = _STEP.match(text, at)
        if not found or (not steps and text[at] == "."):
            return (), ""
        at = found.end()
        if found["index"]:
            steps.append(int(found["index"]))
        elif found["bare"]:
            steps.append(key_of(found["bare"].strip()))
        else:
            steps.append(found["double"] or found["single"])
    return (tuple(steps), text[at + 1 :]) if at < len(text) else ((), "")


def _set(root: Node, steps: Path_, value: Node, complaints: Complaints, place: Place) -> None:
    node = root
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        where = steps[: depth + 1]
        if isinstance(node, Items):
            if not isinstance(step, int) or step >= len(node.nodes):
                known = f"0 to {len(node.nodes) - 1}" if node.nodes else "nothing; it is empty"
                text = f"{dotted(steps[:depth])} is a list; expected the number of an item, {known}"
                return complaints.add(place, where, text)
            if last:
                node.nodes[step] = value
            else:
                node.nodes[step] = _opened(node.nodes[step], place)
                node = node.nodes[step]
        elif isinstance(node, Pairs):
            pair = node.pairs.setdefault(step, Pair(str(step), place, Scalar("", None, place)))
            pair.node = value if last else _opened(pair.node, place)
            node = pair.node
        else:
            text = f"{dotted(steps[:depth]) or 'the file'} is a single value with nothing below it"
            return complaints.add(place, where, text)
    return None


def _opened(node: Node, place: Place) -> Node:
    """``node``, or an empty mapping where nothing is written."""
    return Pairs(place) if isinstance(node, Scalar) and node.value is None else node
