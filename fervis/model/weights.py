"""Weights: read from a file that may be hostile, fitted to the network or refused by name."""

from __future__ import annotations

import mmap
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from fervis.errors import ModelError

_WRAPPED_UNDER = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
_PREFIX = re.compile(r"^(?:module|_orig_mod|model|net|network)\.")
_WRAPPER = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod)\.")
_SHOWN = 10
_NUMBERS = {
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.bool,
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
}  # fmt: skip
_LONGEST_HEADER = 8 << 20  # of a safetensors file; a thousand tensors take some 100 kB
_BUFFER = b"\nbytearray\n"  # in a pickle; PyTorch makes one of any size, weights have none

_SAVE_THE_STATE = (
    "save the state dict instead, where the network was trained: "
    'torch.save(network.state_dict(), "best.pt")'
)


def load_weights(network: nn.Module, file: Path) -> None:
    """Reads ``file`` (.pt, .pth or .safetensors) into ``network``, which becomes float32.

    Half and double weights are converted; `module.`, `_orig_mod.`, `model.` in front of names are
    dropped where that makes them fit. Raises ModelError where the file cannot be read safely,
    holds no weights, does not fit (with the names), or holds NaN.
    """
    network.float()
    state = fitted(read(file), network, file)
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise ModelError(
            f"{file}: NaN or infinite values in {_listed(broken)}: the training diverged; take an "
            "earlier checkpoint"
        )
    try:
        network.load_state_dict(state, strict=False)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{file}: {error}") from error


def read(file: Path) -> dict[str, Tensor]:
    """The state dict in ``file``, bare or wrapped the usual ways; nothing in it is executed."""
    try:
        content = _safetensors(file) if file.suffix == ".safetensors" else _torch(file)
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror or error}") from error
    for _ in range(3):
        if not isinstance(content, Mapping):
            break
        inner = next((content[k] for k in _WRAPPED_UNDER if _is_state(content.get(k))), None)
        if inner is None:
            break
        content = inner
    if not (_is_state(content) and any(isinstance(v, Tensor) for v in content.values())):
        found = type(content).__name__
        if isinstance(content, Mapping):
            found = f"a dictionary of {_listed([str(key) for key in content])}"
        raise ModelError(f"{file} holds no state dict but {found}; {_SAVE_THE_STATE}")
    state = {str(name): v for name, v in content.items() if isinstance(v, Tensor)}
    if odd := [name for name, value in state.items() if not _is_plain(value)]:
        raise ModelError(
            f"{file}: {_listed(odd)}: sparse, complex, quantised or without values; save the "
            "network's weights in float32 or half"
        )
    return state


def _is_state(content: object, depth: int = 3) -> bool:
    return (
        isinstance(content, Mapping)
        and any(isinstance(value, Tensor | Mapping) for value in content.values())
        and (
            any(isinstance(value, Tensor) for value in content.values())
            or (depth > 0 and any(_is_state(content.get(k), depth - 1) for k in _WRAPPED_UNDER))
        )
    )


def _is_plain(value: Tensor) -> bool:
    return (
        value.dtype in _NUMBERS
        and value.layout is torch.strided
        and not value.is_nested
        and value.device.type == "cpu"
    )


def _safetensors(file: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
    if _LONGEST_HEADER < length < file.stat().st_size:
        raise ModelError(f"{file} has a header of {length:,} bytes, longer than weights need")
    try:
        return load_file(file)
    except (SafetensorError, ValueError, OverflowError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"{file} is not a whole safetensors file ({error}); copy or download it again"
        ) from error


def _torch(file: Path) -> Any:
    zipped = zipfile.is_zipfile(file)
    if zipped:
        _refuse_inflation(file)
    if any(pickled.find(_BUFFER) >= 0 for pickled in _pickles(file, zipped)):
        raise ModelError(f"{file} holds more than numbers; {_SAVE_THE_STATE}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are refused here anyway
            # Mapped: what is not part of the network (an optimiser's state) is never read.
            return torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file} is a pickle with code in it (a whole network, perhaps), which is never run; "
            f"{_SAVE_THE_STATE}"
        ) from error
    except OSError:
        raise
    except UnicodeEncodeError as error:
        shown = str(file).encode("utf-8", "backslashreplace").decode()
        raise ModelError(
            f"torch cannot open {shown}: the path is not UTF-8; rename its folders"
        ) from error
    except Exception as error:  # whatever a damaged file provokes in the unpickler
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ModelError(
            f"{file} is not a file that torch.save wrote, or it is damaged ({reason})"
        ) from error


def _refuse_inflation(file: Path) -> None:
    """torch.save stores without compression, so contents are never larger than the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            claimed = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ModelError(f"{file} is damaged ({error}); copy or download it again") from error
    if claimed > file.stat().st_size:
        raise ModelError(
            f"{file} claims to hold {claimed:,} bytes in {file.stat().st_size:,}; refused"
        )


def _pickles(file: Path, zipped: bool) -> Iterator[bytes | mmap.mmap]:
    """What torch.load will unpickle: some members of an archive; anything in an old file."""
    if zipped:
        with zipfile.ZipFile(file) as archive:
            yield from (archive.read(name) for name in archive.namelist() if ".pkl" in name)
    elif file.stat().st_size:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            yield mapped


def fitted(
    state: Mapping[str, Tensor], network: nn.Module, file: Path | str = "weights"
) -> dict[str, Tensor]:
    """``state`` under the network's own names. Raises ModelError that lists what does not fit."""
    wanted = network.state_dict()
    best: tuple[int, dict[str, Tensor]] | None = None
    for candidate in _renamed(state):
        wrong = sum(map(len, _differences(candidate, wanted)))
        if wrong == 0:
            return {name: value for name, value in candidate.items() if name in wanted}
        if best is None or wrong < best[0]:
            best = (wrong, candidate)
    assert best is not None  # noqa: S101
    missing, unexpected, misshapen = _differences(best[1], wanted)
    lines = [
        f"{len(names)} {what}: {_listed(names)}"
        for names, what in (
            (missing, "missing"),
            (unexpected, "unexpected"),
            (misshapen, "of another shape (file, network)"),
        )
        if names
    ]
    raise ModelError(
        f"{file} does not fit the network ({len(wanted)} tensors): "
        + "; ".join(lines)
        + "; check model.factory and model.args"
    )


def _renamed(state: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The state dict as it is, then with wrappers' prefixes taken off, one after the other."""
    names = list(state)
    yield dict(state)
    while all(_PREFIX.match(name) for name in names):
        names = [_PREFIX.sub("", name) for name in names]
        yield dict(zip(names, state.values(), strict=True))
    bare = [_WRAPPER.sub("", name) for name in state]
    if len(set(bare)) == len(bare):
        yield dict(zip(bare, state.values(), strict=True))


def _differences(
    state: Mapping[str, Tensor], wanted: Mapping[str, Any]
) -> tuple[list[str], list[str], list[str]]:
    # Files written before 2018 have no num_batches_tracked; in eval mode nothing reads it.
    missing = [n for n in wanted if n not in state and not n.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in wanted]
    misshapen = [
        f"{name} {_shape(state[name])}, {_shape(wanted[name])}"
        for name in wanted
        if name in state
        and isinstance(wanted[name], Tensor)
        and not is_lazy(wanted[name])
        and state[name].shape != wanted[name].shape
    ]
    return missing, unexpected, misshapen


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" … and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
