"""Where pydantic found an error, as a path in the tree and as a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from fervis.spec.report import Path_
from fervis.spec.tree import Items, Node, Pairs, key_of

KEY = "[key]"  # how pydantic says that an error is about a key


def located(error: ErrorDetails, node: Node) -> tuple[Path_, bool]:
    """Path of the value that an error is about, and whether it is about its key.

    pydantic puts the names of union members into its locations; they are in no tree.
    """
    path: list[str | int] = []
    for step in error["loc"]:
        if step == KEY:
            return tuple(path), True
        if isinstance(node, Pairs):
            known = _key_in(node, step)
            if known is not None:
                path.append(known)
                node = node.pairs[known].node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            path.append(step)
            node = node.nodes[step]
    return tuple(path), False


def _key_in(node: Pairs, step: str | int) -> str | int | None:
    if step in node.pairs:
        return step
    key = key_of(str(step))
    return key if key in node.pairs and node.pairs[key].literal == step else None


def model_at(model: type[BaseModel] | None, path: Path_) -> type[BaseModel] | None:
    """The model that the value at ``path`` has to fit, where it is plain to see."""
    for step in path:
        if isinstance(step, int):
            continue
        info = model.model_fields.get(step) if model else None
        inner = [info.annotation, *get_args(info.annotation)] if info else []
        models = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        model = models[0] if len(models) == 1 else None
    return model


def known_keys(model: type[BaseModel] | None, path: Path_) -> Mapping[str, Any]:
    """The keys that the mapping at ``path`` may have, where that is plain to see."""
    inner = model_at(model, path)
    return inner.model_fields if inner else {}
