"""Which layers of an unknown network a first report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fervis.engine.network import Facts

FIRST = 32
NO_ACTIVATION = frozenset({"pool", "bn", "gn", "ln", "in"})


@dataclass(frozen=True)
class Layers:
    """Names for report.yaml; None where the network has no such layer."""

    filters: str | None
    first: int
    cam: str | None
    names: tuple[str, ...]


def choose_layers(facts: Facts) -> Layers:
    """The second convolution (else the first, else any map) and what Grad-CAM is about.

    Grad-CAM is about the last maps: the activation after the last convolution. Where attention
    decides (a transformer), the maps of embedded patches explain nothing, so there it has none.
    """
    maps = [row for row in facts.layers if _is_map(row)]
    convolutions = [row for row in maps if row["kind"] == "conv"]
    shown = convolutions[1:2] or convolutions[:1] or maps[:1]
    attends = any(row["kind"] == "attn" for row in facts.layers)
    cam = None
    if convolutions and not (attends and len(convolutions) == 1):
        cam = _activation_of(convolutions[-1]["name"], maps)
    return Layers(
        shown[0]["name"] if shown else None,
        min(FIRST, shown[0]["shape"][0]) if shown else 0,
        cam,
        tuple(row["name"] for row in facts.layers),
    )


def _is_map(row: Mapping[str, Any]) -> bool:
    return len(row["shape"]) == 3 and row["shape"][1] * row["shape"][2] > 1


def _activation_of(convolution: str, maps: Sequence[Mapping[str, Any]]) -> str:
    """``conv5.relu`` if there is one, whatever the activation is called, else ``conv5``."""
    after = [
        name
        for row in maps
        for name in (row["name"], *row["aliases"])
        if name.startswith(f"{convolution}.")
        and row["kind"] not in ("pool", "bn", "gn", "ln", "in")
    ]
    return after[0] if after else convolution
