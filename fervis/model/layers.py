"""Layers by the names people use: conv2, conv2.relu, pool1, bn3, fc1, gap, or a module path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from fervis.errors import LayerError
from fervis.model.functions import ACTIVATIONS, RELUS
from fervis.model.passes import Tap
from fervis.model.trace import BLOCK, Event, Trace

LOGITS = "logits"
INPUT = ":input"
"""After any layer's name: what goes into it; `conv2.relu:input` is the value before the ReLU."""

_OWNERS = frozenset({"conv", "fc", "attn", "lstm", "gru", "rnn"})
_NORMS = frozenset({"bn", "gn", "ln", "in"})
_NO_MAP = frozenset({"softmax", "log_softmax", "attn", "flatten", "fc", "ln"})


@dataclass(frozen=True)
class Layer:
    """A value in the forward pass that an analysis can look at.

    ``shape`` is the output's for one picture, (C, H, W) for maps, (features,) or (tokens,
    features) otherwise; ``spatial`` if it is a stack of maps larger than 1×1. ``path`` is the
    module's, "" for a function such as F.relu; ``order`` counts the calls of the pass from 0.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    input_shape: tuple[int, ...] = ()
    path: str = ""
    type: str = ""
    parameters: int = 0
    order: int = 0
    aliases: tuple[str, ...] = ()
    inplace: bool = False
    per_image: bool = True
    spatial: bool = False
    tap: Tap | None = None

    @property
    def after_relu(self) -> bool:
        """Whether a ReLU makes this value: it is never negative, and dead where it is 0."""
        return self.kind in RELUS and not (self.tap and self.tap.before)


@dataclass(frozen=True)
class Layers:
    """All layers of a network in call order, and every name they go by."""

    ordered: tuple[Layer, ...]
    by_name: Mapping[str, Layer]
    last_spatial: Layer | None
    warnings: tuple[str, ...] = ()

    def find(self, name: str) -> Layer:
        """The layer ``name``, or what goes into it for `NAME:input`. Raises LayerError."""
        base = name.removesuffix(INPUT)
        layer = self.by_name.get(base)
        if layer is None or layer.tap is None:
            if layer is not None and base == name:
                return layer
            raise LayerError(self._unknown(base))
        if not layer.per_image:
            raise LayerError(
                f"the output of layer {base!r} has shape {layer.shape}, whose first dimension is "
                "not the picture; choose another layer"
            )
        if base == name:
            return layer
        tap = Tap(layer.tap.address, True, layer.inplace)
        return replace(layer, name=name, aliases=(), shape=layer.input_shape, tap=tap)

    def _unknown(self, name: str) -> str:
        several = [known for known in self.by_name if known.partition("#")[0] == name]
        if several:
            return (
                f"the module {name!r} is called {len(several)} times in a forward pass; say which "
                f"call: {', '.join(several)}"
            )
        near = get_close_matches(name, self.by_name, 1, 0.5)
        hint = f" (did you mean {near[0]}?)" if near else ""
        shown = _ranges([layer.name for layer in self.ordered if layer.kind != BLOCK])
        return f"the network has no layer {name!r}; it has {', '.join(shown)}{hint}"


def _ranges(names: Sequence[str]) -> list[str]:
    """conv1, conv2, conv3 → "conv1 … conv3"."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(re.sub(r"\d+", "", name), []).append(name)
    return [f"{g[0]} … {g[-1]}" if len(g) > 2 else ", ".join(g) for g in groups.values()]


def name_layers(found: Trace, classes: int) -> Layers:
    """Names every call of the forward pass.

    Counted names (conv2) are given first and win over a module path of the same spelling; that
    is a warning where the two are different layers. A module that is called several times has
    one counted name per call, and paths `relu#1`, `relu#2`.
    """
    names: dict[int, list[str]] = dict(_counted(found.events))
    taken = {listed[0]: number for number, listed in names.items() if listed}
    warnings = []
    for number, event in enumerate(found.events):
        if (path := _path_of(event)) is None:
            continue
        owner = number if event.same_as is None else event.same_as
        if taken.setdefault(path, owner) == owner:
            names.setdefault(owner, []).append(path)
        else:
            other = found.events[taken[path]]
            own = names.get(owner, [""])[0]
            warnings.append(
                f"the name {path!r} counts layers in the order of the forward pass and means "
                f"{other.address.path or other.type}; your module of that name is {own}"
            )
    ordered = []
    by_name: dict[str, Layer] = {}
    for number, event in enumerate(found.events):
        listed = list(dict.fromkeys(names.get(number, [])))
        mine = [name for name in listed if taken.setdefault(name, number) == number]
        if not mine:
            continue
        kind = _pooling(event) if event.kind == "pool" else event.kind
        layer = Layer(
            mine[0], kind, event.shape, event.input_shape, event.address.path or "", event.type,
            event.parameters, number, tuple(mine[1:]), event.inplace, event.per_image,
            _is_map(event, found.events), Tap(event.address, False, event.inplace),
        )  # fmt: skip
        ordered.append(layer)
        by_name.update(dict.fromkeys(mine, layer))
    logits = Layer(LOGITS, LOGITS, (classes,), order=len(found.events))
    by_name[LOGITS] = logits
    return Layers((*ordered, logits), by_name, _last_spatial(ordered), tuple(warnings))


def _counted(events: Sequence[Event]) -> Iterator[tuple[int, list[str]]]:
    """Numbers the layers of each kind; an activation is named after what it follows."""
    counts: Counter[str] = Counter()
    owner = norm = ""
    for number, event in enumerate(events):
        if event.kind == BLOCK or event.same_as is not None:
            continue
        kind = _pooling(event) if event.kind == "pool" else event.kind
        counts[kind] += 1
        name = f"{kind}{counts[kind]}"
        if kind in ACTIVATIONS:
            after = [f"{before}.{kind}" for before in (owner, norm) if before]
            yield number, [*(_numbered(after, counts)), name]
            continue
        listed = [kind, name] if kind in ("gap", "gmp") and counts[kind] == 1 else [name]
        if kind in _OWNERS:
            owner, norm = name, ""
        elif kind in _NORMS:
            norm = name
        if owner and kind not in _OWNERS and kind in _NORMS | {"pool"}:
            listed += _numbered([f"{owner}.{kind}"], counts)
        yield number, listed


def _numbered(names: list[str], counts: Counter[str]) -> list[str]:
    """conv2.relu, and for the second one after conv2: conv2.relu2."""
    result = []
    for name in names:
        counts[name] += 1
        result.append(name if counts[name] == 1 else f"{name}{counts[name]}")
    return result


def _pooling(event: Event) -> str:
    """ "gap", "gmp" for global pooling to one number a channel, else "pool"."""
    name = event.type.lower()
    if event.shape[1:] not in ((), (1, 1)):
        return "pool"
    if "max" in name:  # a plain one may end at 1×1 by halving
        return "gmp" if "adaptive" in name or name == "amax()" else "pool"
    return "gap"


def _path_of(event: Event) -> str | None:
    path, call = event.address
    if not path:
        return None
    return path if event.calls == 1 else f"{path}#{call + 1}"


def _is_map(event: Event, events: Sequence[Event]) -> bool:
    """Whether an output of three dimensions is (C, H, W), not (H, W, C) or (heads, T, T)."""
    if not event.per_image or len(event.shape) != 3 or min(event.shape[1:]) < 2:
        return False
    if event.kind in _NO_MAP:
        return False
    if event.kind in ACTIVATIONS | {"drop", "identity"} and event.source is not None:
        return _is_map(events[event.source], events)
    return True


def _last_spatial(layers: Sequence[Layer]) -> Layer | None:
    """The last stack of maps before they are flattened or averaged over space.

    An adaptive pooling is left out (it may blow up a smaller map). A transformer whose only maps
    are the embedded patches has none.
    """
    maps = [
        layer
        for layer in layers
        if layer.spatial and layer.kind not in ("drop", "identity") and "daptive" not in layer.type
    ]
    if not maps:
        return None
    attends = any(layer.kind in ("attn", "softmax") and len(layer.shape) > 1 for layer in layers)
    convolutions = [layer for layer in maps if layer.kind == "conv"]
    if attends and len(convolutions) == 1 and maps[-1].kind in ("conv", BLOCK):
        return None
    return maps[-1]
