"""How logits are had from what a network returns: picked, and freed of a final softmax."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from fervis.errors import ModelError
from fervis.model.options import Output
from fervis.model.passes import Address
from fervis.model.trace import Event
from fervis.text import Message, message

Returned = Literal["logits", "probabilities", "log_probabilities", "sigmoids"]
Step = str | int

_PREFERRED = ("logits", "out", "output", "outputs", "preds", "prediction", "y")
_TINY = 1e-30
_UNKNOWN = message("not known")
_PROBES = 2
"""Pictures in the pass that ``find_head`` looks at."""

_ENDS = {
    "probabilities": ("softmax",),
    "log_probabilities": ("log_softmax",),
    "sigmoids": ("sigmoid",),
}


@dataclass(frozen=True)
class Head:
    """Where the class scores are in what the network returns, and what they are.

    ``bypassed``: the call of the final softmax that is skipped when logits are asked for.
    ``single``: one score for two classes; class 1 gets +z/2, class 0 gets −z/2. ``flat``: the
    scores are (N,).
    """

    steps: tuple[Step, ...]
    returned: Returned
    single: bool = False
    flat: bool = False
    bypassed: Address | None = None
    explains: Message = _UNKNOWN
    warnings: tuple[str, ...] = ()

    def found(self, output: Any) -> Tensor:
        """The tensor of class scores in what the network returned."""
        for step in self.steps:
            indexed = isinstance(output, tuple | list | Mapping)
            output = output[step] if indexed else getattr(output, str(step))
        scores: Tensor = output
        return scores

    def picked(self, output: Any) -> Tensor:
        """The class scores (N, K) float32 as the network returned them."""
        output = self.found(output)
        scores: Tensor = output.float()
        if scores.ndim > 1:
            return scores.flatten(1)
        # A squeeze() in the forward also takes the batch away where it is one picture.
        return scores.reshape(-1, 1) if self.flat else scores.reshape(1, -1)

    def logits(self, output: Any) -> Tensor:
        """(N, K): what a pass with the final softmax skipped returned, as logits.

        Where the softmax could not be skipped, log-probabilities.
        """
        scores = self.picked(output)
        if self.bypassed is None:
            scores = self._unsquashed(scores)
        return torch.cat([-scores / 2, scores / 2], 1) if self.single else scores

    def probabilities(self, output: Any) -> Tensor:
        """(N, K): what a plain pass returned, as probabilities."""
        scores = self.picked(output)
        if self.returned == "probabilities":
            return scores
        if self.returned == "log_probabilities":
            return scores.exp()
        scores = self._unsquashed(scores)
        if self.single:
            scores = torch.cat([-scores / 2, scores / 2], 1)
        return scores.softmax(1)

    def _unsquashed(self, scores: Tensor) -> Tensor:
        if self.returned == "probabilities":
            return scores.clamp_min(_TINY).log()
        if self.returned == "sigmoids":
            return torch.logit(scores, 1e-7)
        return scores


def find_head(output: Any, classes: int, finals: list[Event], declared: Output | None) -> Head:
    """Decides from the output of a pass on some pictures where and what the class scores are.

    ``finals`` are the calls that made what the network returns. Raises ModelError where nothing
    has one score per class, or where the numbers are not what ``declared`` says.
    """
    steps, single = _place(output, classes)
    head = Head(steps, "logits", single)
    head = replace(head, flat=head.found(output).ndim == 1)
    scores = head.picked(output).double()
    if not bool(torch.isfinite(scores).all()):
        raise ModelError(
            "the network returns NaN or infinite values for ordinary pictures: check its weights "
            "(did training diverge?) and model.scale, mean and std"
        )
    ends = {event.kind for event in finals}
    looks = _looks_like(scores, ends, single)
    warnings: list[str] = []
    if declared == "probabilities" and (looks == "sigmoids" or (single and _is_share(scores))):
        looks, declared = "sigmoids", None
    returned: Returned = declared or looks
    if declared not in (None, looks):
        if declared != "logits":
            raise ModelError(
                f"model.output says {declared}, but the network returns {_described(scores)}; "
                f"it looks like {'logits' if looks == 'sigmoids' else looks}"
            )
        warnings.append(
            f"model.output says logits, but the numbers look like {looks}; they are explained "
            "as they are"
        )
    if returned == "sigmoids" and not single:
        warnings.append(
            "the network ends in a sigmoid, one per class; the scores before it are taken as "
            "logits, and probabilities are their softmax"
        )
    return replace(head, returned=returned, warnings=tuple(warnings))


def bypasses(head: Head, finals: list[Event]) -> Iterator[Address]:
    """Calls that may be the final softmax, the likeliest first; to be tried and checked."""
    for event in finals:
        if event.kind in _ENDS.get(head.returned, ()):
            yield event.address


def agrees(logits: Tensor, head: Head, output: Any) -> bool:
    """Whether logits had by skipping a call give the probabilities that the network returned."""
    scores = head.picked(output)
    if logits.shape[0] != scores.shape[0] or not bool(torch.isfinite(logits).all()):
        return False
    if head.returned == "sigmoids":
        again = (logits[:, 1:] - logits[:, :1]).sigmoid() if head.single else logits.sigmoid()
        return again.shape == scores.shape and torch.allclose(again, scores, atol=1e-4)
    expected = head.probabilities(output)
    return logits.shape == expected.shape and torch.allclose(logits.softmax(1), expected, atol=1e-4)


def explained(head: Head) -> tuple[Message, tuple[str, ...]]:
    """``Classifier.explains`` and what to warn of."""
    if head.returned == "logits":
        return message("logits, as the network returns them"), ()
    end = {"sigmoids": "sigmoid", "probabilities": "softmax"}.get(head.returned, "log-softmax")
    if head.bypassed is not None and head.bypassed.path is not None:
        return message(
            "logits, before the network's final {end} (module {path})",
            end=end,
            path=head.bypassed.path,
        ), ()
    if head.bypassed is not None:
        return message("logits, before the network's final {end} (a function)", end=end), ()
    if head.returned == "sigmoids":
        return message("logits, computed back from the network's final sigmoid"), ()
    return (
        message("log-probabilities, because the network's {end} cannot be taken off", end=end),
        (
            f"the network's {end} cannot be taken off, so log-probabilities are explained; their "
            "gradients mix all classes. Return the scores before it for explanations of logits",
        ),
    )


def _place(output: Any, classes: int) -> tuple[tuple[Step, ...], bool]:
    candidates = list(_tensors(output, ()))
    for steps, tensor in candidates:
        if _columns(tensor) == classes:
            return steps, False
    if classes == 2:
        for steps, tensor in candidates:
            if _columns(tensor) == 1:
                return steps, True
    shapes = [str(tuple(tensor.shape)) for _, tensor in candidates] or [type(output).__name__]
    raise ModelError(
        f"the network returns {', '.join(shapes)} for {_PROBES} pictures, but the data "
        f"has {classes} classes: expected ({_PROBES}, {classes}); check model.factory, its args "
        "and the classes of the data"
    )


def _columns(tensor: Tensor) -> int:
    if not tensor.is_floating_point() or tensor.shape[:1] != (_PROBES,):
        return -1
    if tensor.ndim == 1:
        return 1
    return tensor.shape[1] if tensor[0].numel() == tensor.shape[1] else -1


def _tensors(output: Any, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Tensor]]:
    """Tensors in what a network returned; entries with the usual names come first."""
    if isinstance(output, Tensor):
        yield steps, output
    elif isinstance(output, Mapping):
        named = [name for name in _PREFERRED if name in output]
        for key in [*named, *(key for key in output if key not in named)]:
            yield from _tensors(output[key], (*steps, key))
    elif isinstance(output, tuple | list):
        for number, item in enumerate(output):
            yield from _tensors(item, (*steps, number))
    elif hasattr(output, "__dict__"):
        named = [name for name in _PREFERRED if name in vars(output)]
        for name in [*named, *(name for name in vars(output) if name not in named)]:
            if isinstance(vars(output)[name], Tensor):
                yield from _tensors(vars(output)[name], (*steps, name))


def _looks_like(scores: Tensor, ends: set[str], single: bool) -> Returned:
    low, high = float(scores.min()), float(scores.max())
    if "sigmoid" in ends and _is_share(scores):
        return "sigmoids"
    if single:
        return "logits"
    if scores.shape[1] == 1:  # one class: its probability is 1 whatever its score
        return "probabilities" if "softmax" in ends else "logits"
    if low >= -1e-6 and _is_one(scores.sum(1)):
        return "probabilities"
    if high <= 1e-6 and _is_one(scores.exp().sum(1)):
        return "log_probabilities"
    return "logits"


def _is_share(scores: Tensor) -> bool:
    return float(scores.min()) >= 0 and float(scores.max()) <= 1


def _is_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < 1e-3).all())


def _described(scores: Tensor) -> str:
    sums = scores.sum(1)
    return (
        f"values from {float(scores.min()):.4g} to {float(scores.max()):.4g} whose rows sum to "
        f"{float(sums.min()):.4g} … {float(sums.max()):.4g}"
    )
