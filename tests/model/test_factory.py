"""The author's code: found inside the report's folder, run without a trace, its errors placed."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from fervis.errors import FervisError, ModelError
from fervis.model.classifier import load
from fervis.model.factory import build
from fervis.model.options import ModelOptions

NET = """
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, width=4, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


def options(**given: Any) -> ModelOptions:
    return ModelOptions.model_validate({"factory": "hw3.py:Net", "size": 12, **given})


def test_a_file_of_the_report_builds_a_network_with_its_arguments(tmp_path: Path) -> None:
    write(tmp_path, hw3=NET)
    network = build("hw3.py:Net", {"width": 6}, tmp_path)
    assert network.conv.out_channels == 6
    classifier = load(options(), folder=tmp_path, classes=3)
    assert any("untrained" in warning for warning in classifier.warnings)


def test_an_installed_package_builds_a_network(tmp_path: Path) -> None:
    network = build("fervis.model.default:ExpressionNet", {"classes": 3}, tmp_path)
    assert network.head[3].out_features == 3


@pytest.mark.parametrize("call", ["Net", "make", "ready", "Models.small"])
def test_a_class_a_function_a_method_or_a_network_may_be_named(tmp_path: Path, call: str) -> None:
    more = "def make():\n    return Net()\nready = Net()\n"
    write(tmp_path, hw3=NET + more + "class Models:\n    small = staticmethod(make)\n")
    assert isinstance(build(f"hw3.py:{call}", {}, tmp_path), nn.Module)


def test_modules_beside_the_file_and_in_the_folder_are_importable(tmp_path: Path) -> None:
    files = {
        "nets/hw3": "import blocks\nfrom shared.layers import layer\n"
        "def Net():\n    from late import thing\n    return blocks.block(layer(thing))\n",
        "nets/blocks": "from torch import nn\ndef block(x):\n    return nn.Sequential(x)\n",
        "nets/late": "thing = 3\n",
        "shared/layers": "from torch import nn\ndef layer(n):\n    return nn.Linear(n, n)\n",
    }
    assert build("nets/hw3.py:Net", {}, write(tmp_path, **files))[0].in_features == 3


def test_a_file_in_a_package_may_import_relatively(tmp_path: Path) -> None:
    files = {"pkg/__init__": "", "pkg/hw3": "from .blocks import Net\n", "pkg/blocks": NET}
    assert isinstance(build("pkg/hw3.py:Net", {}, write(tmp_path, **files)), nn.Module)


def test_an_import_in_forward_is_found(tmp_path: Path) -> None:
    late = NET.replace("        return", "        import late\n        return late.factor *")
    write(tmp_path, hw3=late, late="factor = 2\n")
    classifier = load(options(), folder=tmp_path, classes=3)
    assert classifier.probabilities(np.zeros((1, 12, 12, 1), np.uint8)).shape == (1, 3)


def test_nothing_of_an_import_is_left_behind(tmp_path: Path) -> None:
    write(
        tmp_path, hw3="import sys\nsys.path.insert(0, 'x')\nimport blocks\n" + NET, blocks="a = 1"
    )
    paths, finders, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    load(options(), folder=tmp_path, classes=3)
    assert sys.path == paths
    assert sys.meta_path == finders
    assert {"hw3", "blocks"}.isdisjoint(sys.modules)
    assert not [name for name in set(sys.modules) - modules if "hw3" in name]
    assert not list(tmp_path.rglob("__pycache__"))


def test_two_reports_may_have_files_of_the_same_names(tmp_path: Path) -> None:
    networks = []
    for width in (2, 5):
        folder = write(
            tmp_path / str(width),
            hw3=NET.replace("width=4", "width=blocks.WIDTH").replace(
                "import torch", "import blocks, torch", 1
            ),
            blocks=f"WIDTH = {width}\n",
        )
        networks.append(build("hw3.py:Net", {}, folder))
    assert [network.conv.out_channels for network in networks] == [2, 5]


def test_a_module_of_the_same_name_that_was_there_before_comes_back(tmp_path: Path) -> None:
    import types

    stranger = types.ModuleType("blocks")
    sys.modules["blocks"] = stranger
    try:
        write(tmp_path, hw3="from blocks import WIDTH\n" + NET, blocks="WIDTH = 3\n")
        build("hw3.py:Net", {}, tmp_path)
        assert sys.modules["blocks"] is stranger
    finally:
        del sys.modules["blocks"]


@pytest.mark.parametrize("stem", ["random", "torch", "hw3-final", "模型"])
def test_a_file_may_have_any_name(tmp_path: Path, stem: str) -> None:
    write(tmp_path, **{stem: NET})
    before = sys.modules.get(stem)
    assert isinstance(build(f"{stem}.py:Net", {}, tmp_path), nn.Module)
    assert sys.modules.get(stem) is before


# Refused


def refused(folder: Path, factory: str, args: dict[str, Any] | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        build(factory, args or {}, folder)
    return str(caught.value)


def test_code_outside_the_reports_folder_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "report"
    inside.mkdir()
    write(tmp_path, hw3="raise SystemError('this ran')")
    (inside / "link.py").symlink_to(tmp_path / "hw3.py")
    (inside / "up").symlink_to(tmp_path)
    for place in ("../hw3.py", str(tmp_path / "hw3.py"), "link.py", "up/hw3.py"):
        message = refused(inside, f"{place}:Net")
        assert "outside the report's folder" in message
        assert "this ran" not in message


def test_a_module_outside_that_is_reached_by_a_link_is_not_imported(tmp_path: Path) -> None:
    inside = write(tmp_path / "report", hw3="import blocks\n" + NET)
    write(tmp_path, blocks="raise SystemError('this ran')")
    (inside / "blocks.py").symlink_to(tmp_path / "blocks.py")
    assert "leads out of the report's folder" in refused(inside, "hw3.py:Net")
    inside = write(tmp_path / "other", hw3="import pkg.blocks\n" + NET, **{"pkg/__init__": ""})
    (inside / "pkg" / "blocks.py").symlink_to(tmp_path / "blocks.py")
    assert "leads out of the report's folder" in refused(inside, "hw3.py:Net")


PROGRAM = """
import sys
from pathlib import Path
from fervis.errors import ModelError
from fervis.model.code import LocalCode, load_object, parse
for factory in sys.argv[2:]:
    try:
        print(load_object(parse(factory, Path()), LocalCode(Path(sys.argv[1]), None)))
    except ModelError as error:
        print(error)
"""


@pytest.mark.parametrize("way", ["the current folder", "PYTHONPATH", "a link on PYTHONPATH"])
def test_a_package_that_merely_lies_on_the_path_is_not_installed(tmp_path: Path, way: str) -> None:
    stranger, report = tmp_path / "stranger", tmp_path / "report"
    write(stranger, nets="raise SystemError('this ran')", **{"pkg/models": NET})
    write(report, hw3=NET)
    link = tmp_path / "link"
    link.symlink_to(stranger)
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    place = {"PYTHONPATH": str(stranger), "a link on PYTHONPATH": str(link)}.get(way)
    given = {**known, "PYTHONPATH": place} if place else known

    factories = ("nets:Net", "pkg.models:Net", "fervis.model.default:ExpressionNet")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(report), *factories],
        cwd=stranger if place is None else tmp_path, env=given, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    nets, package, own = done.stdout.splitlines()
    assert "nets is not installed" in nets
    assert "pkg is not installed" in package
    assert "ExpressionNet" in own


def test_an_editable_install_of_the_current_folder_counts_as_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, packages = write(tmp_path / "source", **{"mine/models": NET}), tmp_path / "packages"
    packages.mkdir()
    (packages / "mine.pth").write_text(f"{source}\n")
    monkeypatch.setattr(sys, "path", ["", str(source), *sys.path])
    monkeypatch.chdir(source)
    assert "is not installed" in refused(tmp_path, "mine.models:Net")
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(packages))
    assert isinstance(build("mine.models:Net", {}, tmp_path), nn.Module)
    monkeypatch.delitem(sys.modules, "mine.models")
    monkeypatch.delitem(sys.modules, "mine")


def test_preprocessing_by_a_tool_is_refused(tmp_path: Path) -> None:
    write(tmp_path, hw3=NET)
    for tool in ("yaml:unsafe_load", "numpy:save"):
        with pytest.raises(ModelError, match="function of a tool"):
            load(options(preprocess=tool), folder=tmp_path, classes=3)


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        ("hw3.py", "names nothing"),
        ("hw3.py:", "names nothing"),
        (":Net", "names nothing"),
        ("w" * 5000 + ".py:Net", "too long"),
        ("hw4.py:Net", "did you mean hw3.py"),
        ("hw3.py:Nett", "did you mean Net"),
        ("hw3:Net", "did you mean hw3.py:Net"),
        ("no_such_package.models:Net", "no installed package"),
        ("hw3.py:Plain", "not a torch.nn.Module"),
        ("hw3.py:os.system", "part of Python itself"),
        ("os:system", "part of Python itself"),
        ("torch:os.system", "part of Python itself"),
        ("torch.hub:load", "function of a tool"),
        ("captum:attr._utils.common.torch.hub.load", "function of a tool (torch)"),
        ("yaml:unsafe_load", "function of a tool (yaml)"),
        ("click:launch", "function of a tool (click)"),
        ("captum:attr._utils.common.typing.get_origin", "part of Python itself"),
        ("hw3.py:number", "is a int; expected a class or a function"),
        ("hw3.py:nothing", "returned a NoneType"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(tmp_path: Path, factory: str, told: str) -> None:
    write(
        tmp_path, hw3=NET + "number = 3\ndef nothing():\n    Net()\nimport os\nclass Plain: pass\n"
    )
    assert told in refused(tmp_path, factory)


def test_errors_of_the_authors_code_come_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, hw3="import torch\n\nx = 1 / 0\n")
    assert "hw3.py:3: ZeroDivisionError: division by zero" in refused(tmp_path, "hw3.py:Net")
    write(tmp_path, hw3="def Net(:\n    pass\n")
    assert "hw3.py:1: SyntaxError" in refused(tmp_path, "hw3.py:Net")
    write(tmp_path, hw3="import blocks\n", blocks="\nimport nowhere_at_all\n")
    assert "blocks.py:2: ModuleNotFoundError" in refused(tmp_path, "hw3.py:Net")
    write(tmp_path, hw3="import sys\nsys.exit('usage: hw3')\n")
    assert "hw3.py:2: SystemExit: usage: hw3" in refused(tmp_path, "hw3.py:Net")
    write(tmp_path, hw3=NET)
    assert "unexpected keyword argument 'depth'" in refused(tmp_path, "hw3.py:Net", {"depth": 3})


def test_an_error_in_forward_comes_with_its_place_and_the_input(tmp_path: Path) -> None:
    write(tmp_path, hw3=NET.replace("self.conv(x)", "self.conv(x.flatten(1))"))
    with pytest.raises(ModelError, match=r"input \(2, 1, 12, 12\): hw3.py:13: RuntimeError"):
        load(options(), folder=tmp_path, classes=3)


def test_another_number_of_classes_than_the_data_is_told(tmp_path: Path) -> None:
    write(tmp_path, hw3=NET)
    with pytest.raises(ModelError, match=r"returns \(2, 3\).* 7 classes"):
        load(options(), folder=tmp_path, classes=7)


def test_the_default_network_brings_its_numbers_and_needs_its_weights(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from fervis.model import defaults
    from fervis.model.default import ExpressionNet

    file = tmp_path / "default.safetensors"
    monkeypatch.setattr(defaults, "WEIGHTS", file)
    default = ModelOptions.model_validate({"kind": "default"})
    with pytest.raises(ModelError, match="weights are missing"):
        load(default, folder=tmp_path, classes=7)
    save_file(ExpressionNet().state_dict(), file)
    classifier = load(default, folder=tmp_path, classes=7)
    assert classifier.warnings == ()
    assert classifier.last_spatial.name == "conv7.relu"
    gray = classifier.to_input(np.full((1, 48, 48, 1), 128, np.uint8))
    assert float(gray.mean()) == pytest.approx((128 / 255 - 0.5077) / 0.2550, abs=1e-5)
    with pytest.raises(ModelError, match="of another shape"):
        load(default, folder=tmp_path, classes=5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "default", "factory": "hw3.py:Net"}, "two networks"),
        ({"weights": "w.pt"}, "weights without their network"),
        ({"mean": 0.5}, "no network named"),
        ({"kind": None, "factory": ""}, "no network named"),
    ],
)
def test_exactly_one_network_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ModelOptions.model_validate(given)


@pytest.mark.parametrize("size", [0, -5, 2049, [24, 0], [1, 60_000], 10**22, [24, 24, 24]])
def test_a_size_is_one_that_a_network_can_have(size: Any) -> None:
    """Every picture of the data set is brought to it: 60,000 pixels took all memory and disk."""
    with pytest.raises(ValidationError, match="size"):
        options(size=size)


# Preprocessing


def test_numbers_make_the_input(tmp_path: Path) -> None:
    write(tmp_path, hw3=NET.replace("nn.Conv2d(1,", "nn.Conv2d(3,"))
    given = options(channels=3, mean=[0.1, 0.2, 0.3], std=0.5, scale=255)
    classifier = load(given, folder=tmp_path, classes=3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3), np.uint8)
    expected = (pixels / 255 - [0.1, 0.2, 0.3]) / 0.5
    found = classifier.to_input(pixels)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.permute(0, 2, 3, 1), expected, atol=1e-6)
    gray = classifier.to_input(pixels[..., :1])  # a gray picture into a colour network
    np.testing.assert_allclose(gray[:, 1], (pixels[..., 0] / 255 - 0.2) / 0.5, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mean": [0.1, 0.2, 0.3]}, "mean has 3"),
        ({"std": 0}, "std is 0"),
        ({"std": [1, 1]}, "std has 2"),
    ],
)
def test_numbers_that_do_not_fit_are_told(tmp_path: Path, given: Any, told: str) -> None:
    write(tmp_path, hw3=NET)
    with pytest.raises(ModelError, match=told):
        load(options(**given), folder=tmp_path, classes=3)


def test_a_function_of_the_author_makes_the_input(tmp_path: Path) -> None:
    function = (
        "def ready(images):\n"
        "    x = torch.from_numpy(images).permute(0, 3, 1, 2).double()\n"
        "    return F.interpolate(x / 128 - 1, (20, 20))\n"
    )
    write(tmp_path, hw3=NET + function)
    classifier = load(options(preprocess="hw3.py:ready"), folder=tmp_path, classes=3)
    assert classifier.input_shape == (1, 20, 20)
    white = classifier.to_input(np.full((2, 12, 12, 1), 255, np.uint8))
    assert white.dtype == torch.float32
    assert float(white.mean()) == pytest.approx(255 / 128 - 1)


def test_what_the_function_permutes_can_be_viewed_flat(tmp_path: Path) -> None:
    """A network that flattens by `view` fails on the strides that permute leaves."""
    network = NET.replace("F.relu(self.conv(x)).mean((2, 3))", "self.flat(self.conv(x))")
    flat = "    def flat(self, x):\n        return x.view(len(x), -1)[:, :self.fc.in_features]\n"
    function = (
        "def ready(images):\n"
        "    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255\n"
    )
    write(tmp_path, hw3=network + flat + function)
    classifier = load(options(preprocess="hw3.py:ready"), folder=tmp_path, classes=3)
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 1), np.uint8)
    np.testing.assert_allclose(
        classifier.to_input(images).permute(0, 2, 3, 1), images / 255, atol=1e-6
    )
    assert classifier.probabilities(images).shape == (3, 3)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return nothing", "hw3.py:15: NameError"),
        ("return images[0]", "it returned"),
        ("return 'x'", "it returned str"),
    ],
)
def test_a_function_that_fails_is_told(tmp_path: Path, body: str, told: str) -> None:
    write(tmp_path, hw3=NET + f"def ready(images):\n    {body}\n")
    with pytest.raises(FervisError, match=told):
        load(options(preprocess="hw3.py:ready"), folder=tmp_path, classes=3)


def test_the_device_can_be_chosen_and_must_exist(monkeypatch: Any) -> None:
    from fervis.model.device import choose

    monkeypatch.setenv("FERVIS_DEVICE", "cpu")
    assert choose() == torch.device("cpu")
    for wrong in ("cuda:77", "quantum"):
        monkeypatch.setenv("FERVIS_DEVICE", wrong)
        with pytest.raises(ModelError, match=f"FERVIS_DEVICE={wrong}"):
            choose()
