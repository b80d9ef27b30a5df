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
from fervis.model.code import LocalCode, parse
from fervis.model.defaults import is_default, weights_file
from fervis.model.factory import construct, unwrapped
from fervis.model.fold import Prepared
from fervis.model.inspection import first, inspect, probes
from fervis.model.layers import Layer, name_layers
from fervis.model.mosaics import Mosaics
from fervis.model.options import ModelOptions
from fervis.model.passes import Pass, Tap
from fervis.model.paths import Paths, Precision
from fervis.model.pixels import Preprocessing, let_go, preprocessing
from fervis.model.state import Keeper
from fervis.model.stem import FEWEST, portions
from fervis.model.told import told
from fervis.model.weights import load_weights

_UNTRAINED = "no model.weights: the network is untrained unless its own code loads weights"
_LET_GO = 2048  # pictures after which a memory map's are let go
_SAMPLE = 16  # pictures on which bfloat16 is compared with float32


def load(
    options: ModelOptions, *, folder: Path, classes: int, precision: Precision = "auto"
) -> Classifier:
    """The network that ``options`` describe, ready to run; paths are relative to ``folder``.

    ``precision`` "auto" allows bfloat16 for sampling, "float32" does not.

    Raises ModelError where it cannot be built, loaded or run, or has not ``classes`` outputs.
    """
    pixels = preprocessing(options, folder)
    file = weights_file(options, folder)
    if is_default(options):
        from fervis.model.default import ExpressionNet

        code = LocalCode(folder, None)
        try:
            network: nn.Module = ExpressionNet(**{"classes": classes, **options.args})
        except TypeError as error:
            raise ModelError(f"model.args do not fit the default network: {error}") from error
    else:
        assert options.factory is not None  # noqa: S101
        target = parse(options.factory, folder)
        code = LocalCode(folder, target.file)
        network = construct(target, options.args, code)
    return Classifier(
        network, pixels, options, classes=classes, weights=file, code=code, precision=precision
    )


def wrap(
    network: nn.Module,
    options: ModelOptions | None = None,
    *,
    classes: int,
    precision: Precision = "auto",
) -> Classifier:
    """A classifier around a network that is already in memory."""
    options = options or ModelOptions.model_validate({"factory": "memory:network"})
    pixels = preprocessing(options, Path.cwd())
    return Classifier(unwrapped(network), pixels, options, classes=classes, precision=precision)


def layer_table(classifier: Classifier) -> list[tuple[str, str, str, tuple[int, ...], int]]:
    """One row per layer in call order: name, other names, type, output shape, parameters."""
    ordered = dict.fromkeys(classifier.layers.values())
    return [(x.name, ", ".join(x.aliases), x.type, x.shape, x.parameters) for x in ordered]


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
        precision: Precision = "auto",
    ) -> None:
        devices.keep_freed_memory()
        self.classes, self.device = classes, devices.choose()
        self.network, self._pixels = network, pixels
        self._code = code or LocalCode(Path.cwd(), None)
        inputs = self.to_input(probes(options))
        self.input_shape: tuple[int, int, int] = (*inputs.shape[1:],)
        warnings = self._initialise(weights, inputs)
        self._keeper = Keeper(network, self.device)
        with self.untouched(), torch.no_grad():
            known = inspect(network, inputs, classes, options.output, self._tell)
            self._head = known.head
            self._paths = Paths(network, known.trace, known.manner, inputs, self._logits, precision)
        self._layers = name_layers(known.trace, classes)
        self.parameters = sum(parameter.numel() for parameter in network.parameters())
        self.explains = known.head.explains
        self.warnings = (
            *warnings, *known.warnings, *self._layers.warnings, *self._paths.warnings
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
        wanted = [tap for tap in taps.values() if tap]
        with self.untouched():
            path = self._paths.with_values(wanted)
            given = path.laid_out(inputs.to(self.device))
            forward = Pass(path.network, wanted, path.manner)
            logits = self._head.logits(self._run(forward, given))
        self._check(logits, inputs)
        values = {name: forward.values[tap] if tap else logits for name, tap in taps.items()}
        return values, logits

    def forward_to(self, layer: str, inputs: Tensor, *, searching: bool = False) -> Tensor:
        """What comes out of ``layer`` (or goes in: `NAME:input`), differentiable in ``inputs``.

        The pass ends there: what comes after the layer is not computed. ``searching`` allows
        bfloat16 where `samples_in_bfloat16` and the network has a copy for it; how close it comes
        is for the caller to check.
        """
        tap = self._taps([layer])[layer]
        if tap is None:
            return self.logits(inputs)
        with self.untouched():
            path = self._paths.with_values([tap], searching=searching)
            forward = Pass(path.network, [tap], path.manner, stop=True)
            self._run(forward, path.laid_out(inputs.to(self.device)))
        if tap not in forward.values:
            raise AnalysisError(f"the network did not come to layer {layer!r} for these pictures")
        return forward.values[tap]

    def probabilities(
        self,
        images: NDArray[np.uint8],
        batch: int | None = None,
        *,
        sampling: bool = False,
        job: int | None = None,
    ) -> NDArray[np.float32]:
        """images (N, H, W, C) uint8, may be memory-mapped → (N, K) float32; read in batches.

        ``sampling`` allows bfloat16 where the processor has it and a check has passed. ``job``,
        by default all ``images``, is how many pictures decide whether preparations pay.
        """
        result = np.empty((len(images), self.classes), np.float32)
        with self.untouched(), torch.no_grad():
            job = len(images) if job is None else job
            path = self._paths.forward(job)
            if sampling and len(images):
                path = self._paths.sampling(self.to_input(images[:_SAMPLE]), job)
            size = batch or path.batch
            for start in range(0, len(images), size):
                part = self.to_input(images[start : start + size])
                if len(part) == 1:  # other kernels than in company: other last digits
                    part = part.repeat(2, 1, 1, 1)
                inputs = path.laid_out(part)
                forward = Pass(path.prepared.network, (), path.prepared.manner)
                values = self._head.probabilities(self._run(forward, inputs))
                self._check(values, inputs, start)
                result[start : start + size] = values[: len(images) - start].cpu().numpy()
                if start // _LET_GO != (start + size) // _LET_GO:
                    let_go(images)
        return result

    def mosaic_probabilities(
        self, mosaics: Mosaics, *, sampling: bool = False
    ) -> NDArray[np.float32]:
        """As probabilities() of ``mosaics.pictures()``: (N, K) float32.

        What the network's first layers make of them is computed once for each local pattern of
        parts where that saves work and gives the same logits.
        """
        result = np.empty((len(mosaics), self.classes), np.float32)
        height, width = mosaics.parts.shape
        for start, stop in portions(len(mosaics), height * width):
            some = replace(mosaics, masks=mosaics.masks[start:stop])
            found = self._by_patterns(some, sampling, len(mosaics))
            if found is None:
                found = self.probabilities(some.pictures(), sampling=sampling, job=len(mosaics))
            result[start:stop] = found
        return result

    def _by_patterns(
        self, mosaics: Mosaics, sampling: bool, job: int
    ) -> NDArray[np.float32] | None:
        if len(mosaics) < FEWEST or self._pixels.function is not None:
            return None
        result = np.empty((len(mosaics), self.classes), np.float32)
        with self.untouched(), torch.no_grad():
            sample = self.to_input(mosaics.pictures(0, _SAMPLE))
            path = self._paths.sampling(sample, job) if sampling else self._paths.forward(job)
            pair = self.to_input(np.stack([mosaics.shown, mosaics.hidden]))
            known = self._paths.after_stem(mosaics, pair, path, sample)
            if known is None:
                return None
            rest, layer = known
            for start in range(0, len(mosaics), rest.batch):
                inputs = rest.laid_out(layer.layer(start, start + rest.batch))
                forward = Pass(rest.prepared.network, (), rest.prepared.manner)
                values = self._head.probabilities(self._run(forward, inputs))
                self._check(values, inputs, start)
                result[start : start + rest.batch] = values.cpu().numpy()
        return result

    @property
    def samples_in_bfloat16(self) -> bool:
        """Whether ``sampling`` may use bfloat16: asked for, native, and not refuted by a check."""
        return self._paths.bfloat16

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Eval mode, fixed random state; puts back all that a run may change, also on errors."""
        with self._code, self._keeper():
            yield

    def _run(self, forward: Pass, inputs: Tensor) -> Any:
        try:
            return forward.run(inputs)
        except FervisError:
            raise
        except Exception as error:
            raise AnalysisError(
                f"the network failed on an input {tuple(inputs.shape)}: {self._tell(error)}"
            ) from error

    def _logits(self, prepared: Prepared, inputs: Tensor) -> Tensor:
        """Logits of one of the paths; log-probabilities where its softmax is not skipped."""
        head = self._head if prepared.manner.bypass else replace(self._head, bypassed=None)
        return head.logits(Pass(prepared.network, (), prepared.manner).run(inputs))

    def _tell(self, error: BaseException) -> str:
        return told(error, self._code.folder)

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
            if len(inputs) == 2 and torch.equal(inputs[0], inputs[1]):
                raise AnalysisError("the network returned NaN or infinite values for the picture")
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

    def _initialise(self, weights: Path | None, inputs: Tensor) -> tuple[str, ...]:
        network = self.network.float().to(self.device).eval()
        if any(nn.parameter.is_lazy(value) for value in network.state_dict().values()):
            with self._code, torch.no_grad():
                first(lambda: network(inputs), inputs, self._tell)
        if weights is None:
            return (_UNTRAINED,)
        load_weights(network, weights)
        return ()
