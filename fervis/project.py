"""Start a project: a folder with a report.yaml that fits the data and the network at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fervis.data import KINDS, open_dataset
from fervis.engine.network import Network
from fervis.engine.store import Store
from fervis.errors import MachineError
from fervis.model.options import ModelOptions
from fervis.render import template_folders

MAKEFILE = """\
report:          ## Build site/index.html and site/report.pdf
\tfervis build
check:           ## Check report.yaml without computing anything
\tfervis check
pick:            ## Write pick.html: every picture with its index
\tfervis pick
.PHONY: report check pick
"""


def start(
    folder: Path,
    *,
    data: Path | None = None,
    split: str | None = None,
    factory: str | None = None,
    weights: Path | None = None,
) -> list[Path]:
    """Writes report.yaml and a Makefile into ``folder``, and returns what was written.

    Without ``data`` and ``factory`` it is the default report on rendered faces. Raises
    MachineError if report.yaml is there already, and DataError or ModelError where data or
    network cannot be read.
    """
    report = folder / "report.yaml"
    if report.exists():
        raise MachineError(f"{report} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    if data is None and factory is None:
        text = default_report().read_text("utf-8")
    else:
        text = _fitted(folder, data, split, factory, weights)
    written = []
    for path, content in ((report, text), (folder / "Makefile", MAKEFILE)):
        if not path.exists():
            path.write_text(content, "utf-8")
            written.append(path)
    return written


def default_report() -> Path:
    """The report that comes with fervis: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    for path in (package / "_project" / "report.yaml", package.parent / "report.yaml"):
        if path.is_file():
            return path
    raise MachineError("this installation of fervis lacks its default report.yaml; reinstall it")


def _fitted(
    folder: Path, data: Path | None, split: str | None, factory: str | None, weights: Path | None
) -> str:
    data_values: dict[str, Any] = {"kind": _kind(data)}
    if data is not None:
        data_values["path"] = os.path.relpath(data, folder)
    if split:
        data_values["split"] = split
    model_values: dict[str, Any] = {"kind": "default"} if factory is None else {"factory": factory}
    if weights is not None:
        model_values["weights"] = os.path.relpath(weights, folder)
    options = ModelOptions.model_validate(model_values)
    cache = folder / ".fervis"
    dataset = open_dataset(
        KINDS[data_values["kind"]].model_validate(data_values),
        folder=folder,
        cache=cache / "data",
        size=options.height_width,
        channels=options.channels,
    )
    network = Network(options, folder, len(dataset.classes), Store(cache / "results"))
    spatial = [layer for layer in network.facts().layers if len(layer["shape"]) == 3]
    names = [layer["name"] for layer in network.facts().layers]
    convolutions = [
        layer for layer in spatial if layer["name"].startswith("conv") and "." not in layer["name"]
    ] or spatial
    chosen = convolutions[min(1, len(convolutions) - 1)]
    cam = f"{chosen['name']}.relu"
    environment = Environment(
        loader=FileSystemLoader([str(path) for path in template_folders(folder)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )  # noqa: S701 (YAML, not HTML)
    return environment.get_template("project/report.yaml.j2").render(
        data=_block(data_values),
        model=_block(model_values),
        split=dataset.split,
        size=len(dataset),
        classes=[text.in_language("en") for text in dataset.classes],
        layer=chosen["name"],
        first=min(32, chosen["shape"][0]),
        cam_layer=cam if cam in names else spatial[-1]["name"],
        labelled=dataset.labels is not None,
        layers=names,
    )


def _kind(data: Path | None) -> str:
    if data is None:
        return "faces"
    return "folder" if data.is_dir() else "npz" if data.suffix == ".npz" else "fer2013"


def _block(values: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    return "".join(f"  {line}\n" for line in text.splitlines())
