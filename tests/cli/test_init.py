"""What `fervis init` writes passes `fervis check`, whatever data and network look like."""

from __future__ import annotations

import json
import shutil
import site
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from PIL import Image

from fervis.project.found import one_line
from tests.cli.conftest import Fervis
from tests.project import pictures

NETWORKS = {
    "one_convolution": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))
""",
    "no_convolution": """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(24 * 24, 8), nn.ReLU(), nn.Linear(8, 3))
""",
    "colour_of_another_size": """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3, stride=2), nn.SiLU(), nn.Conv2d(4, 40, 3), nn.Flatten(),
                         nn.Linear(40 * 13 * 13, 3))
""",
    "three_steps": """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.GELU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
""",
}


def write_network(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.py").write_text(f"import torch\nfrom torch import nn\n{NETWORKS[name]}", "utf-8")


def write_npz(file: Path, *, labels: bool = True) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    images, numbers = pictures()
    np.savez(file, **{"test_images": images, **({"test_labels": numbers} if labels else {})})
    return file


def written(folder: Path) -> dict:
    """The report that init wrote, which must fit the schema that it wrote."""
    text = (folder / "report.yaml").read_text("utf-8")
    name = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    report = yaml.safe_load(text)
    jsonschema.validate(report, json.loads((folder / name).read_text("utf-8")))
    return report


def parts(report: dict) -> dict[str, dict]:
    return {name: options for question in report["questions"] for part in question["answer"]
            for name, options in part.items() if name not in ("notes", "math")}  # fmt: skip


def test_without_arguments_it_is_the_default_report(fervis: Fervis, tmp_path: Path) -> None:
    result = fervis("init", tmp_path / "mine")
    assert written(tmp_path / "mine")["data"] == {"kind": "faces", "split": "test"}
    for name in ("Makefile", ".gitignore", ".github/workflows/pages.yml"):
        assert f"wrote {tmp_path / 'mine' / name}" in result.output
        assert (tmp_path / "mine" / name).is_file()
    assert "${{" in (tmp_path / "mine/.github/workflows/pages.yml").read_text("utf-8")
    assert yaml.safe_load((tmp_path / "mine/.github/workflows/pages.yml").read_text("utf-8"))[
        "jobs"
    ]


def test_a_report_that_is_there_is_left_alone(fervis: Fervis, tmp_path: Path) -> None:
    (tmp_path / "report.yaml").write_text("mine", "utf-8")
    assert "is there already" in fervis("init", tmp_path, code=3).output
    assert [path.name for path in tmp_path.iterdir()] == ["report.yaml"]


def test_it_finds_layers_classes_and_pictures(fervis: Fervis, fresh: Path, tmp_path: Path) -> None:
    for name in ("hw3.py", "best.pt", "pictures.npz"):
        shutil.copy(fresh.parent / name, tmp_path)
    result = fervis("init", tmp_path, "--data", tmp_path / "pictures.npz", "--model", "hw3.py:Net",
                    "--weights", tmp_path / "best.pt")  # fmt: skip
    report = written(tmp_path)
    assert report["model"] == {"factory": "hw3.py:Net", "weights": "best.pt", "size": 24}
    assert [index // 10 for index in report["images"].values()] == [0, 1, 2]
    assert parts(report)["filters"] == {"layer": "conv2", "first": 8}
    assert parts(report)["gradcam"]["layer"] == "conv3.relu"
    assert "30 pictures" in result.output
    assert "is right" in fervis("check", tmp_path / "report.yaml").output


@pytest.mark.parametrize(
    ("name", "layer", "cam"),
    [
        ("one_convolution", "conv1", "conv1.relu"),
        ("no_convolution", None, None),
        ("colour_of_another_size", "conv2", "conv2"),
        ("three_steps", "conv2", "conv2.gelu"),
    ],
)
def test_it_fits_networks_of_other_kinds(
    fervis: Fervis, tmp_path: Path, name: str, layer: str | None, cam: str | None
) -> None:
    write_network(tmp_path, name)
    size = ["--size", 32] if name == "colour_of_another_size" else []
    fervis(
        "init", tmp_path, "--data", write_npz(tmp_path / "p.npz"), "--model", "net.py:Net", *size
    )
    found = parts(written(tmp_path))
    assert found.get("filters", {}).get("layer") == layer
    assert found.get("gradcam", {}).get("layer") == cam
    fervis("check", tmp_path / "report.yaml")


def test_size_and_channels_are_found_where_the_network_decides(
    fervis: Fervis, tmp_path: Path
) -> None:
    write_network(tmp_path, "colour_of_another_size")
    fervis("init", tmp_path, "--data", write_npz(tmp_path / "p.npz"), "--model", "net.py:Net")
    assert written(tmp_path)["model"] == {"factory": "net.py:Net", "size": 32, "channels": 3}


def test_a_fer2013_csv_brings_its_class_names_and_stays_private(
    fervis: Fervis, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    seven_classes(folder)
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{label},{pixels},PublicTest" for label in (0, 3, 6, 3)]
    (folder / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows), "utf-8")
    result = fervis("init", folder, "--data", folder / "fer2013.csv", "--split", "PublicTest",
                    "--model", f"{folder}/net.py:Net")  # fmt: skip
    report = written(folder)
    assert report["data"] == {"kind": "fer2013", "path": "fer2013.csv", "split": "PublicTest"}
    assert report["model"]["factory"] == "net.py:Net"
    assert list(report["images"]) == [0, 3, 6]
    assert "# happy" in (folder / "report.yaml").read_text("utf-8")
    assert "/fer2013.csv" in (folder / ".gitignore").read_text("utf-8").splitlines()
    assert not (folder / ".github").exists()
    assert "may not be published" in result.output
    fervis("check", folder / "report.yaml")


def test_a_folder_of_pictures_with_strange_class_names(fervis: Fervis, tmp_path: Path) -> None:
    for name in ("a: {b} # c", "快樂", "two\nlines"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(2):
            Image.new("L", (24, 24), 40 * number).save(
                tmp_path / "pictures" / name / f"{number}.png"
            )
    write_network(tmp_path, "one_convolution")
    fervis("init", tmp_path, "--data", tmp_path / "pictures", "--model", "net.py:Net", "--workflow")
    report = written(tmp_path)
    assert list(report["images"]) == [0, 1, 2]
    assert (tmp_path / ".github" / "workflows" / "pages.yml").is_file()
    fervis("check", tmp_path / "report.yaml")


def seven_classes(folder: Path) -> None:
    write_network(folder, "one_convolution")
    text = (folder / "net.py").read_text("utf-8").replace("Linear(4, 3)", "Linear(4, 7)")
    (folder / "net.py").write_text(text, "utf-8")


def test_pictures_without_labels_get_names(fervis: Fervis, tmp_path: Path) -> None:
    seven_classes(tmp_path)
    rows = [f"{number}," + " ".join([str(number)] * 48 * 48) for number in range(12)]
    (tmp_path / "test.csv").write_text("\n".join(["id,feature", *rows]), "utf-8")
    fervis("init", tmp_path, "--data", tmp_path / "test.csv", "--model", "net.py:Net")
    assert written(tmp_path)["images"] == {"a": 0, "b": 2, "c": 4, "d": 6, "e": 8}
    assert "confusion" not in parts(written(tmp_path))
    fervis("check", tmp_path / "report.yaml")


def test_data_that_do_not_say_how_many_classes_there_are(fervis: Fervis, tmp_path: Path) -> None:
    write_network(tmp_path, "one_convolution")
    data = write_npz(tmp_path / "p.npz", labels=False)
    result = fervis("init", tmp_path, "--data", data, "--model", "net.py:Net", code=2)
    assert "no labels" in result.output


def test_templates_are_copied_only_when_asked(fervis: Fervis, tmp_path: Path) -> None:
    fervis("init", tmp_path / "with", "--templates")
    assert (tmp_path / "with" / "templates" / "base.html").is_file()
    assert not (tmp_path / "with" / "templates" / "project").exists()
    fervis("init", tmp_path / "without")
    assert not (tmp_path / "without" / "templates").exists()


def test_data_are_named_as_the_report_sees_them(
    fervis: Fervis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the new folder relatively, far away absolutely; the folder need not exist."""
    write_npz(tmp_path / "near" / "p.npz")
    write_npz(tmp_path / "far" / "p.npz")
    write_network(tmp_path / "package", "one_convolution")
    monkeypatch.syspath_prepend(tmp_path / "package")
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(tmp_path / "package"))
    monkeypatch.chdir(tmp_path / "near")
    for folder, data, path in (
        ("one", "p.npz", "../p.npz"),
        ("two", tmp_path / "far" / "p.npz", str(tmp_path / "far" / "p.npz")),
    ):
        fervis("init", folder, "--data", data, "--model", "net:Net")
        assert written(tmp_path / "near" / folder)["data"]["path"] == path
        fervis("check", f"{folder}/report.yaml")


def test_numbered_classes_are_named_as_the_default_network_means_them(
    fervis: Fervis, tmp_path: Path
) -> None:
    images, labels = pictures()
    np.savez(tmp_path / "p.npz", test_images=images, test_labels=labels)
    fervis("init", tmp_path, "--data", tmp_path / "p.npz")
    assert written(tmp_path)["data"]["classes"][3]["en"] == "happy"
    assert "angry: " in (tmp_path / "report.yaml").read_text("utf-8")
    fervis("check", tmp_path / "report.yaml")


def test_code_outside_the_folder_is_refused(fervis: Fervis, tmp_path: Path) -> None:
    write_network(tmp_path / "elsewhere", "one_convolution")
    result = fervis("init", tmp_path / "mine", "--data", write_npz(tmp_path / "p.npz"),
                    "--model", f"{tmp_path}/elsewhere/net.py:Net", code=2)  # fmt: skip
    assert "outside" in result.output
    assert not (tmp_path / "mine" / "report.yaml").exists()


def test_a_comment_never_breaks_its_line() -> None:
    assert one_line("a\nb\x00c\u2028d") == "a b c d"
    assert len(one_line("x" * 500)) == 60
