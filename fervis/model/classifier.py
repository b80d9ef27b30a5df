"""The user's network with its preprocessing, named layers, and runs that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fervis.errors import AnalysisError, FervisError, LayerError, ModelError
from fervis.model import device as devices
from fervis.model import output as outputs
from fervis.model.code import LocalCode, parse
from fervis.model.defaults import is_default, weights_file
from fervis.model.factory import construct
from fervis.model.layers import Layer, name_layers
from fervis.model.options import ModelOptions
from fervis.model.passes import Manner, Pass, Tap
from fervis.model.pixels import Preprocessing, preprocessing
from fervis.model.state import Keeper
from fervis.model.told import told
from fervis.model.trace import Trace, trace
from fervis.model.weights import load_weights

_UNTRAINED = "no model.weights: the network is untrained unless its own code loads weights"


def load(options: ModelOptions, *, folder: Path, classes: int) -> Classifier:
    """The network that ``options`` describe, ready to run; paths are relative to ``folder``.

    Raises ModelError where it cannot be built, loaded or run, or has not ``classes`` outputs.
    """
    pixels = preprocessing(options, folder)
    file = weights_file(options, folder)
    if is_default(options):
        from fervis.model.default import ExpressionNet

        code = LocalCode(folder, None)
        network: nn.Module = ExpressionNet(**{"classes": classes, **options.args})
    else:
        assert options.factory is not None  # noqa: S101
        target = parse(options.factory, folder)
        code = LocalCode(folder, target.file)
        network = construct(target, options.args, code)
    return Classifier(network, pixels, options, classes=classes, weights=file, code=code)


def wrap(network: nn.Module, options: ModelOptions | None = None, *, classes: int) -> Classifier:
    """A classifier around a network that is already in memory."""
    options = options or ModelOptions.model_validate({"factory": "memory:network"})
    pixels = preprocessing(options, Path.cwd())
    return Classifier(network, pixels, options, classes=classes)


class Classifier:
    """A network with its preprocessing. Every run is in eval mode and leaves it as it was.

    ``explains`` says how logits were had, ``warnings`` what a reader should know, ``parameters``
    counts the weights, ``input_shape`` is (C, H, W), ``device`` where it runs.
    """

    def __init__(
        self,
        network: nn.Module,
        pixels: Preprocessing,
        options: ModelOptions,
        *,
        classes: int,
        weights: Path | None = None,
        code: LocalCode | None = None,
    ) -> None:
        self.classes, self.device = classes, devices.choose()
        self.network, self._pixels = network, pixels
        self._code = code or LocalCode(Path.cwd(), None)
        probes = self.to_input(_probes(options))
        self.input_shape: tuple[int, int, int] = tuple(probes.shape[1:])  # type: ignore[assignment]
        self._manner = Manner()
        warnings = self._initialise(weights, probes)
        self._keeper = Keeper(network, self.device)
        with self.untouched(), torch.no_grad():
            found = self._traced(probes)
            self._manner = replace(self._manner, no_dropout=found.drops)
            self._head = self._find_head(found, probes, options)
            warnings += self._doubts(found, probes)
        self._layers = name_layers(found, classes)
        self.parameters = sum(parameter.numel() for parameter in network.parameters())
        self.explains = self._head.explains
        self.warnings: tuple[str, ...] = (
            *warnings, *self._head.warnings, *self._layers.warnings
        )  # fmt: skip

    # Layers

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Every accepted name and its layer, in the order of the forward pass."""
        return self._layers.by_name

    @property
    def last_spatial(self) -> Layer:
        """The last maps before they are flattened or averaged. Raises LayerError if none."""
        if self._layers.last_spatial is None:
            raise LayerError(
                "the network has no spatial maps before its output (a transformer?); this "
                "analysis needs a convolutional layer"
            )
        return self._layers.last_spatial

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises LayerError with the nearest name."""
        return self._layers.find(name)

    def module(self, name: str) -> nn.Module | None:
        """The module that a layer is a call of; None for a function such as F.relu."""
        layer = self.layer(name)
        return self.network.get_submodule(layer.path) if layer.path else None

    # Runs

    def to_input(self, images: NDArray[np.uint8]) -> Tensor:
        """images (N, H, W, C) uint8 → (N, C, H, W) float32 as the network wants it."""
        return self._pixels(images, self.device)

    def logits(self, inputs: Tensor) -> Tensor:
        """inputs (N, C, H, W) normalised → (N, K), differentiable in ``inputs``.

        Log-probabilities where ``explains`` says so. Raises AnalysisError for NaN or infinity,
        or where the network's own code fails.
        """
        return self.activations(inputs, ())[1]

    def activations(
        self, inputs: Tensor, layers: Sequence[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What comes out of each layer, by the names given, and logits (N, K).

        Logits are differentiable in the activations and both in ``inputs`` (N, C, H, W); later
        in-place operations do not reach the values. `NAME:input` is what goes into a layer.
        """
        taps = self._taps(layers)
        with self.untouched():
            forward = self._pass([tap for tap in taps.values() if tap])
            raw = self._run(forward, inputs)
            logits = self._head.logits(raw)
        self._check(logits, inputs)
        values = {name: forward.values[tap] if tap else logits for name, tap in taps.items()}
        return values, logits

    def forward_to(self, layer: str, inputs: Tensor) -> Tensor:
        """What comes out of ``layer`` (or goes in: `NAME:input`), differentiable in ``inputs``.

        The pass ends there: what comes after the layer is not computed.
        """
        tap = self._taps([layer])[layer]
        if tap is None:
            return self.logits(inputs)
        with self.untouched():
            forward = self._pass([tap], stop=True)
            self._run(forward, inputs)
        if tap not in forward.values:
            raise AnalysisError(f"the network did not come to layer {layer!r} for these pictures")
        return forward.values[tap]

    def probabilities(
        self, images: NDArray[np.uint8], batch: int | None = None, *, sampling: bool = False
    ) -> NDArray[np.float32]:
        """images (N, H, W, C) uint8, may be memory-mapped → (N, K) float32; read in batches.

        ``sampling`` allows bfloat16 where the processor has it and a check has passed.
        """
        del sampling
        size = batch or 32
        result = np.empty((len(images), self.classes), np.float32)
        with self.untouched(), torch.no_grad():
            for start in range(0, len(images), size):
                inputs = self.to_input(images[start : start + size])
                raw = self._run(self._pass([], plain=True), inputs)
                values = self._head.probabilities(raw)
                self._check(values, inputs, start)
                result[start : start + size] = values.cpu().numpy()
        return result

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Eval mode, fixed random state; puts back all that a run may change, also on errors."""
        with self._code, self._keeper():
            yield

    def _pass(self, taps: Sequence[Tap], *, stop: bool = False, plain: bool = False) -> Pass:
        manner = replace(self._manner, bypass=None) if plain else self._manner
        return Pass(self.network, taps, manner, stop)

    def _run(self, forward: Pass, inputs: Tensor) -> Any:
        try:
            return forward.run(inputs.to(self.device))
        except FervisError:
            raise
        except Exception as error:
            raise AnalysisError(
                f"the network failed on an input {tuple(inputs.shape)}: "
                f"{told(error, self._code.folder)}"
            ) from error

    def _taps(self, layers: Sequence[str]) -> dict[str, Tap | None]:
        return {name: self.layer(name).tap for name in layers}

    def _check(self, scores: Tensor, inputs: Tensor, start: int = 0) -> None:
        if scores.shape != (len(inputs), self.classes):
            raise AnalysisError(
                f"the network returned {tuple(scores.shape)} for {len(inputs)} pictures; "
                f"expected ({len(inputs)}, {self.classes})"
            )
        fine = torch.isfinite(scores.detach()).all(1)
        if not bool(fine.all()):
            rows = (~fine).nonzero().flatten().tolist()
            shown = ", ".join(str(start + row) for row in rows[:10])
            raise AnalysisError(
                f"the network returned NaN or infinite values for {len(rows)} of {len(inputs)} "
                f"pictures (number {shown} of those asked for)"
            )
        if inputs.requires_grad and torch.is_grad_enabled() and not scores.requires_grad:
            raise AnalysisError(
                "the network's output does not follow from its input by differentiable steps "
                "(torch.no_grad, .detach() or numpy in its forward?), so there are no gradients"
            )

    # Getting to know the network

    def _initialise(self, weights: Path | None, probes: Tensor) -> list[str]:
        network = self.network.float().to(self.device).eval()
        if any(nn.parameter.is_lazy(value) for value in network.state_dict().values()):
            with self._code, torch.no_grad():
                self._first(lambda: network(probes))
        if weights is None:
            return [_UNTRAINED]
        load_weights(network, weights)
        return []

    def _traced(self, probes: Tensor) -> Trace:
        found: Trace = self._first(lambda: trace(self.network, probes, self._manner))
        return found

    def _first(self, run: Any) -> Any:
        """The first runs tell whether the network takes the input at all."""
        try:
            return run()
        except Exception as error:
            shape = ", ".join(map(str, self.input_shape))
            raise ModelError(
                f"the network failed on its first input (2, {shape}): "
                f"{told(error, self._code.folder)}; check model.size and model.channels"
            ) from error

    def _find_head(self, found: Trace, probes: Tensor, options: ModelOptions) -> outputs.Head:
        head = outputs.find_head(found.output, self.classes, found.finals(), options.output)
        skipped = None
        for address in outputs.bypasses(head, found.finals()):
            manner = replace(self._manner, bypass=address)
            raw = self._run(Pass(self.network, (), manner), probes)
            tried = replace(head, bypassed=address)
            try:
                agree = outputs.agrees(tried.logits(raw), head, found.output)
            except (RuntimeError, IndexError, KeyError):
                continue
            if agree:
                self._manner, head = manner, tried
                skipped = address.path or f"{head.returned.rstrip('s')} function"
                break
        explains, warnings = outputs.explained(head, skipped)
        return replace(head, explains=explains, warnings=(*head.warnings, *warnings))

    def _doubts(self, found: Trace, probes: Tensor) -> list[str]:
        """What may make results depend on more than the picture."""
        doubts = []
        if found.drops:
            doubts.append(
                "a dropout function is called without training=self.training, so it drops in eval "
                "mode as well; it is switched off here"
            )
        whole, again = self.logits(probes), self.logits(probes)
        alone = torch.cat([self.logits(probe[None]) for probe in probes])
        if not torch.allclose(whole, again, atol=1e-5):
            doubts.append("two equal runs of the network give different results")
        elif not torch.allclose(whole, alone, atol=1e-3, rtol=1e-3):
            doubts.append(
                "the network's answer for a picture depends on the other pictures in the batch "
                "(normalisation without running statistics, or softmax over dim 0?)"
            )
        return doubts


def _probes(options: ModelOptions) -> NDArray[np.uint8]:
    """Two pictures, not blank: a blank one hides what a network does with its input."""
    height, width = options.height_width
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, height, width, options.channels), np.uint8)
