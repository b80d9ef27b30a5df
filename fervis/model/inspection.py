"""Getting to know a network: what it is made of, how logits are had, what to be wary of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fervis.errors import FervisError, ModelError
from fervis.model import output as outputs
from fervis.model.options import ModelOptions, Output
from fervis.model.passes import Manner, Pass
from fervis.model.trace import Trace, trace


@dataclass(frozen=True)
class Known:
    """What a look at some pictures has told."""

    trace: Trace
    manner: Manner
    head: outputs.Head
    warnings: tuple[str, ...]


def probes(options: ModelOptions) -> NDArray[np.uint8]:
    """Two pictures, not blank: a blank one hides what a network does with its input."""
    height, width = options.height_width
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, height, width, options.channels), np.uint8)


def inspect(
    network: nn.Module,
    inputs: Tensor,
    classes: int,
    declared: Output | None,
    tell: Callable[[BaseException], str],
) -> Known:
    """Runs ``network`` on ``inputs`` (the probes) a few times; the caller keeps it untouched.

    ``tell`` makes one line of an error in the author's code. Raises ModelError where the network
    does not take the input or does not return one score per class.
    """
    found = first(lambda: trace(network, inputs, Manner()), inputs, tell)
    manner = Manner(no_dropout=found.drops)
    head = outputs.find_head(found.output, classes, found.finals(), declared)
    for address in outputs.bypasses(head, found.finals()):
        tried, trial = replace(head, bypassed=address), replace(manner, bypass=address)
        try:
            logits = tried.logits(Pass(network, (), trial).run(inputs))
        except Exception:  # noqa: S112 - what the author's code makes of another value
            continue
        if outputs.agrees(logits, head, found.output):
            manner, head = trial, tried
            break
    explains, warnings = outputs.explained(head)
    head = replace(head, explains=explains, warnings=(*head.warnings, *warnings))
    doubts = _doubts(found, lambda given: head.logits(Pass(network, (), manner).run(given)), inputs)
    return Known(found, manner, head, (*doubts, *head.warnings))


def first(run: Callable[[], Any], inputs: Tensor, tell: Callable[[BaseException], str]) -> Any:
    """The first run tells whether the network takes the input at all."""
    try:
        return run()
    except FervisError:
        raise
    except Exception as error:
        shape = ", ".join(map(str, inputs.shape))
        raise ModelError(
            f"the network failed on its first input ({shape}): {tell(error)}; check model.size "
            "and model.channels"
        ) from error


def _doubts(found: Trace, logits: Callable[[Tensor], Tensor], inputs: Tensor) -> list[str]:
    """What may make results depend on more than the picture."""
    doubts = []
    if found.drops:
        doubts.append(
            "a dropout function is called without training=self.training, so it drops in eval "
            "mode as well; it is switched off here"
        )
    whole, again = logits(inputs), logits(inputs)
    try:
        alone = torch.cat([logits(one[None]) for one in inputs])
    except Exception:  # a squeeze() too many
        doubts.append("the network cannot take a single picture (a squeeze() in its forward?)")
        return doubts
    if not torch.allclose(whole, again, atol=1e-5):
        doubts.append("two equal runs of the network give different results")
    elif not torch.allclose(whole, alone, atol=1e-3, rtol=1e-3):
        doubts.append(
            "the network's answer for a picture depends on the other pictures in the batch "
            "(normalisation without running statistics, or softmax over dim 0?)"
        )
    return doubts
