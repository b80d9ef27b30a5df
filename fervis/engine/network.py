"""The network as the engine sees it: facts known without it, and itself once it is needed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fervis.engine import keys
from fervis.engine.store import Entry, Store
from fervis.model.fingerprint import fingerprint
from fervis.model.options import ModelOptions
from fervis.text import Message

if TYPE_CHECKING:
    from fervis.model.classifier import Classifier


Precision = Literal["auto", "float32"]
"""Whether sampling and search (LIME, filters) may use bfloat16 where the processor has it."""


@dataclass(frozen=True)
class Facts:
    """What one tracing pass found; stored, so that checking a report needs no torch."""

    layers: tuple[dict[str, Any], ...]  # name, aliases, path, kind, shape, parameters
    parameters: int
    explains: Message  # how logits are had
    warnings: tuple[str, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every accepted layer name with its output shape, without the batch."""
        return {
            name: tuple(layer["shape"])
            for layer in self.layers
            for name in (layer["name"], *layer["aliases"])
        }

    @property
    def operations(self) -> int:
        """Multiplications and additions of convolutions and linear layers for one picture."""
        return sum(
            2 * layer["parameters"] * math.prod(layer["shape"][1:])
            for layer in self.layers
            if layer["kind"] in ("conv", "linear")
        )


class Network:
    """Loads the classifier at most once, and only when something must be computed."""

    def __init__(
        self,
        options: ModelOptions,
        folder: Path,
        classes: int,
        store: Store,
        precision: Precision = "auto",
    ) -> None:
        self.options, self.folder, self.classes = options, folder, classes
        self.precision = precision
        self.fingerprint = fingerprint(options, folder)
        self._store = store
        self._classifier: Classifier | None = None
        self._facts: Facts | None = None

    @property
    def loaded(self) -> bool:
        """Whether torch and the network are in memory."""
        return self._classifier is not None

    def classifier(self) -> Classifier:
        """The network, ready to run. Raises ModelError where it cannot be built."""
        if self._classifier is None:
            from fervis.model.classifier import load

            self._classifier = load(
                self.options, folder=self.folder, classes=self.classes, precision=self.precision
            )
        return self._classifier

    def facts(self) -> Facts:
        """Layers, size and how logits are had; from the store where it is known."""
        if self._facts is None:
            key = keys.digest(["facts", 2, self.fingerprint, self.classes, dict(keys.versions())])
            entry = self._store.get(key)
            if entry is None:
                entry = Entry(arrays={}, meta=_facts_of(self.classifier()), blobs={})
                self._store.put(key, entry)
            meta = entry.meta
            how, values = meta["explains"]
            self._facts = Facts(
                tuple(meta["layers"]),
                meta["parameters"],
                Message(how, values),
                tuple(meta["warnings"]),
            )
        return self._facts


def _facts_of(classifier: Classifier) -> dict[str, Any]:
    layers: dict[str, dict[str, Any]] = {}
    for alias, layer in classifier.layers.items():
        row = layers.setdefault(
            layer.name,
            {
                "name": layer.name,
                "aliases": [],
                "path": layer.path,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "parameters": layer.parameters,
            },
        )
        if alias != layer.name:
            row["aliases"].append(alias)
    return {
        "layers": list(layers.values()),
        "parameters": classifier.parameters,
        "explains": [classifier.explains.msgid, dict(classifier.explains.values)],
        "warnings": list(classifier.warnings),
    }
