"""Weights: every usual way of saving fits, everything else is refused with names."""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fervis.errors import ModelError
from fervis.model.defaults import weights_file
from fervis.model.options import ModelOptions
from fervis.model.weights import load_weights
from tests.limits import frugal  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("frugal")


def small(width: int = 3) -> nn.Module:
    torch.manual_seed(width)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten())


class Wrapper(nn.Module):
    def __init__(self, **inner: nn.Module) -> None:
        super().__init__()
        for name, module in inner.items():
            setattr(self, name, module)


def prefixed(prefix: str) -> dict[str, Any]:
    return {prefix + name: value for name, value in small().state_dict().items()}


def fits(content: Any, tmp_path: Path) -> bool:
    torch.save(content, tmp_path / "w.pt")
    network = small(3)
    with torch.no_grad():
        network[0].weight.zero_()
    load_weights(network, tmp_path / "w.pt")
    return torch.allclose(network[0].weight, small()[0].weight, atol=1e-2)


@pytest.mark.parametrize(
    "key", [None, "state_dict", "model_state_dict", "model", "net", "state_dict/model"]
)
def test_a_state_dict_is_found_where_people_put_it(tmp_path: Path, key: str | None) -> None:
    content: Any = small().state_dict()
    for name in reversed(key.split("/") if key else []):
        content = {"epoch": 3, name: content, "optimizer": {"lr": 0.1}}
    assert fits(content, tmp_path)


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "net."]
)
def test_prefixes_of_wrappers_are_dropped(tmp_path: Path, prefix: str) -> None:
    assert fits(prefixed(prefix), tmp_path)


def test_what_the_wrappers_save_fits(tmp_path: Path) -> None:
    assert fits(nn.DataParallel(small()).state_dict(), tmp_path)
    assert fits(Wrapper(_orig_mod=small()).state_dict(), tmp_path)
    # A compiled part inside a network: the prefix is in the middle of the name.
    torch.save(Wrapper(body=Wrapper(_orig_mod=small())).state_dict(), tmp_path / "w.pt")
    load_weights(Wrapper(body=small()), tmp_path / "w.pt")


def test_a_prefix_that_belongs_to_the_network_stays(tmp_path: Path) -> None:
    torch.save(Wrapper(model=small()).state_dict(), tmp_path / "w.pt")
    load_weights(Wrapper(model=small()), tmp_path / "w.pt")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    assert fits(small().to(dtype).state_dict(), tmp_path)
    network = small().to(dtype)
    load_weights(network, tmp_path / "w.pt")
    assert {value.dtype for value in network.parameters()} == {torch.float32}


def test_safetensors_and_old_files_are_read(tmp_path: Path) -> None:
    save_file(small().state_dict(), tmp_path / "w.safetensors")
    load_weights(small(), tmp_path / "w.safetensors")
    torch.save(small().state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    load_weights(small(), tmp_path / "old.pth")
    state = {k: v for k, v in small().state_dict().items() if "num_batches" not in k}
    assert fits(state, tmp_path)


# Refused


def refused(file: Path, network: nn.Module | None = None) -> str:
    started = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        load_weights(network or small(), file)
    assert time.perf_counter() - started < 5
    return str(caught.value)


def test_what_does_not_fit_is_listed_by_name(tmp_path: Path) -> None:
    file = tmp_path / "w.pt"
    state = small().state_dict()
    state["3.weight"] = torch.zeros(2)
    del state["1.bias"]
    state["0.weight"] = torch.zeros(5, 1, 3, 3)
    torch.save(state, file)
    message = refused(file)
    assert "1 missing: 1.bias" in message
    assert "1 unexpected: 3.weight" in message
    assert "1 of another shape (file, network): 0.weight 5×1×3×3, 3×1×3×3" in message


def test_of_many_names_ten_are_listed_and_counted(tmp_path: Path) -> None:
    torch.save({f"layer{i}": torch.zeros(1) for i in range(25)}, tmp_path / "w.pt")
    message = refused(tmp_path / "w.pt")
    assert "25 unexpected: layer0," in message
    assert "layer9 … and 15 more" in message
    assert "layer10" not in message


def test_nan_in_weights_is_told(tmp_path: Path) -> None:
    state = small().state_dict()
    state["0.bias"][1] = torch.nan
    torch.save(state, tmp_path / "w.pt")
    assert "NaN or infinite values in 0.bias" in refused(tmp_path / "w.pt")


class Evil:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("/tmp/fervis-was-here"),))  # noqa: S108


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_what_is_no_weights_file_is_told(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    for path in (f"pipe{suffix}", f"zero{suffix}", "file:///etc/passwd", "http://169.254.169.254/"):
        options = ModelOptions.model_validate({"factory": "hw3.py:Net", "weights": path})
        with pytest.raises(ModelError, match="no file"):
            weights_file(options, tmp_path)


def test_code_in_a_pickle_is_never_run(tmp_path: Path) -> None:
    for name, content in (("evil.pt", {"state_dict": Evil()}), ("whole.pth", small())):
        torch.save(content, tmp_path / name)
        message = refused(tmp_path / name)
        assert "never run" in message
        assert "torch.save(network.state_dict()" in message
    with (tmp_path / "bare.pt").open("wb") as file:
        pickle.dump(Evil(), file)
    refused(tmp_path / "bare.pt")
    assert not Path("/tmp/fervis-was-here").exists()  # noqa: S108


@pytest.mark.parametrize(
    "content", [b"", b"not weights", b"PK\x03\x04" + bytes(100), bytes(1000), b"\x80\x02}q\x00."]
)
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_damaged_files_are_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in refused(tmp_path / name)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want their names in Unicode")
def test_a_path_that_torch_cannot_open_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    torch.save(small().state_dict(), tmp_path / "w.pt")
    (tmp_path / "w.pt").rename(folder / "w.pt")
    said = refused(folder / "w.pt")
    assert "damaged" not in said
    assert r"caf\udce9/w.pt: the path is not UTF-8; rename its folders" in said


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    torch.save(small(64).state_dict(), tmp_path / "w.pt")
    save_file(small(64).state_dict(), tmp_path / "w.safetensors")
    for name in ("w.pt", "w.safetensors"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        assert name in refused(tmp_path / name, small(64))


def test_a_header_that_lies_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    ten_gb = 10 << 30
    entry = {"dtype": "F32", "shape": [ten_gb // 4], "data_offsets": [0, ten_gb]}
    header = json.dumps({"0.weight": entry}).encode()
    for size in (len(header), 1 << 62, 10 << 30):
        file.write_bytes(struct.pack("<Q", size) + header + bytes(64))
        assert "safetensors" in refused(file)


def test_an_archive_that_inflates_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "w.pt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", bytes(40 << 20))
    assert "claims to hold" in refused(file)


@pytest.mark.parametrize("old", [True, False], ids=["old", "archive"])
def test_a_pickle_that_asks_for_gigabytes_is_refused_at_once(tmp_path: Path, old: bool) -> None:
    """PyTorch's own safe reader would make the buffer, and fill it with zeros."""
    file = tmp_path / "w.pt"
    torch.save({"0.weight": "here"}, file, _use_new_zipfile_serialization=not old)
    asks = b"c__builtin__\nbytearray\n\x8a\x05" + (6 << 30).to_bytes(5, "little") + b"\x85R"
    here = b"X\x04\x00\x00\x00here"
    if old:
        file.write_bytes(file.read_bytes().replace(here, asks))
    else:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content.replace(here, asks))
    assert asks in file.read_bytes()
    assert "more than numbers" in refused(file)


@pytest.mark.parametrize("depth", [4, 40, 300])
def test_a_state_that_is_wrapped_without_end_is_refused_at_once(tmp_path: Path, depth: int) -> None:
    state: dict[str, Any] = dict(small().state_dict())
    for _ in range(depth):
        state = dict.fromkeys(("state_dict", "model", "net", "weights"), state)
    torch.save(state, tmp_path / "w.pt")
    assert "no state dict" in refused(tmp_path / "w.pt")
    state.update(dict.fromkeys(("model", "net"), state))
    torch.save(state, tmp_path / "w.pt")
    assert "no state dict" in refused(tmp_path / "w.pt")


@pytest.mark.parametrize(
    "kind",
    [
        lambda: torch.zeros(3, device="meta"),
        lambda: torch.zeros(3).to_sparse(),
        lambda: torch.zeros(3) + 1j,
        lambda: torch.zeros(3).to(torch.float8_e4m3fn),
        lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
        lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(1)]),
    ],
    ids=["meta", "sparse", "complex", "float8", "quantised", "nested"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of PyTorch: they are odd indeed
def test_tensors_of_other_kinds_are_told(tmp_path: Path, kind: Callable[[], torch.Tensor]) -> None:
    torch.save({**small().state_dict(), "0.bias": kind()}, tmp_path / "w.pt")
    assert "0.bias" in refused(tmp_path / "w.pt")


@pytest.mark.parametrize("shape", ["[0, 9223372036854775808]", "[4611686018427387904, 4]"])
def test_a_shape_beyond_all_numbers_is_refused(tmp_path: Path, shape: str) -> None:
    header = f'{{"a": {{"dtype": "F32", "shape": {shape}, "data_offsets": [0, 0]}}}}'.encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    assert "safetensors" in refused(tmp_path / "w.safetensors")


def test_a_header_of_a_million_tensors_is_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    with file.open("wb") as opened:
        opened.write(struct.pack("<Q", 90 << 20))
        opened.truncate(100 << 20)
    assert "longer than weights need" in refused(file)


def test_a_name_too_long_for_any_file_is_told(tmp_path: Path) -> None:
    options = ModelOptions.model_validate({"factory": "hw3.py:Net", "weights": "w" * 5000})
    with pytest.raises(ModelError, match="no file"):
        weights_file(options, tmp_path)


def test_a_tensor_that_repeats_one_number_is_not_blown_up(tmp_path: Path) -> None:
    torch.save({"0.weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "w.pt")
    assert "of another shape" in refused(tmp_path / "w.pt")


def test_a_file_without_tensors_says_what_is_in_it(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "accuracy": 0.6}, tmp_path / "w.pt")
    assert "a dictionary of epoch, accuracy" in refused(tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "w.pt")
    assert "but list" in refused(tmp_path / "w.pt")
