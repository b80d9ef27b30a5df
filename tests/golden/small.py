"""A small report drawn by the real analyses from stored arrays, and its site as a few texts."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from fervis.analyses import Context, Result, filters, gradcam, saliency
from fervis.draw.figure import Figure
from fervis.render import render, template_folders
from fervis.render.document import Block, Document, Failure, Gallery, Picture, Shown
from fervis.spec.report import Note, Part, Question
from fervis.text import message
from tests.render.sample import CLASSES, both, sample

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
PAGES = ("index", "confusion", "network", "methods", "image/1")


def document() -> Document:
    """Two pictures, three analyses, one failure, a gallery of ten; arrays.npz holds all arrays."""
    with np.load(HERE / "arrays.npz") as stored:
        arrays = dict(stored)
    images, shares, labels = arrays["images"], arrays["probabilities"], arrays["labels"]

    def context(index: int | None) -> Context:
        image = None if index is None else images[index]
        label = None if index is None else int(labels[index])
        name = "" if index is None else str(index)
        return Context(CLASSES, "test", 0, image, name, index, label, {"conv1": (4, 12, 12)})

    def numbers(index: int) -> dict[str, float | int | str | bool | None]:
        best = int(shares[index].argmax())
        return {
            "target": int(labels[index]),
            "predicted": best,
            "probability": float(shares[index, labels[index]]),
            "layer": "conv1",
        }

    def explained(index: int) -> Figure:
        result = Result({"saliency": arrays["saliency"][index]}, numbers(index))
        return saliency.draw(result, saliency.Options(), context(index))

    ascent = {name[8:]: value for name, value in arrays.items() if name.startswith("filters_")}
    climbed = filters.draw(
        Result(ascent, {"available": 4, "steps": 8}),
        filters.Options(layer="conv1", steps=8),
        context(None),
    )
    cam = {name: arrays[name] for name in ("cam", "evidence", "weights")}
    shown_cam = gradcam.draw(Result(cam, numbers(1)), gradcam.Options(layer="conv1"), context(1))
    note = Note(both("看**眉毛**。", "The **brows**."), "right")
    text = both("兩張圖[@simonyan]。", "Two pictures [@simonyan].")
    answers = (
        (
            Block(
                Part("saliency", (), saliency.Options(), text=text, notes=((0, note),)),
                (Shown(explained(0), 0), Shown(explained(1), 1)),
            ),
            Block(Part("filters", (), filters.Options(layer="conv1")), (Shown(climbed),)),
        ),
        (
            Block(Part("math", (), latex=r"L^c = \sum_k \alpha_k^c A^k")),
            Block(
                Part("gradcam", (), gradcam.Options(layer="conv1")),
                (
                    Shown(None, 0, Failure(message("It could not be computed."), "no gradient")),
                    Shown(shown_cam, 1),
                ),
            ),
        ),
    )
    titles = (both("顯著圖", "Saliency"), both("自由", "Free"))
    questions = tuple(
        Question(title, tuple(block.part for block in blocks), points=2, collaborators=None)
        for title, blocks in zip(titles, answers, strict=True)
    )
    whole = sample()
    return replace(
        whole,
        report=replace(whole.report, questions=questions, pictures={0: 0, 1: 1}),
        pictures={
            index: Picture(index, index, images[index], int(labels[index]), shares[index])
            for index in (0, 1)
        },
        answers=answers,
        dataset_size=len(labels),
        gallery=Gallery(images, labels, shares),
        methods={},
        failures=(),
    )


def written() -> dict[str, bytes]:
    """The English pages of the site, its Chinese first page, and a digest of every other file.

    Of pictures the pixels count and not how they were packed; type and scripts are not looked at.
    """
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch)
        render(document(), site, templates=template_folders(), pdf=False)
        found = {f"{name.replace('/', '-')}.html": site / "en" / f"{name}.html" for name in PAGES}
        found["zh-Hant.html"] = site / "index.html"
        texts = {name: page.read_bytes() for name, page in found.items()}
        others = [
            f"{path.relative_to(site).as_posix()} {_digest(path)}"
            for path in sorted(site.rglob("*"))
            if path.suffix in (".png", ".csv")
        ]
    return {**texts, "files.txt": ("\n".join(others) + "\n").encode()}


def _digest(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".png":
        with Image.open(io.BytesIO(content)) as picture:
            content = f"{picture.mode} {picture.size}".encode() + picture.tobytes()
    return hashlib.sha256(content).hexdigest()[:16]
