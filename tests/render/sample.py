"""A realistic Document for tests of the pages: every kind of block, two languages, a failure."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel

from fervis.draw.colour import by_maximum, by_range, colourise
from fervis.draw.figure import ColourBar, Fact, Figure, Panel, Table
from fervis.render.document import (
    Block,
    Document,
    Failure,
    Gallery,
    Method,
    NetworkFacts,
    Picture,
    Shown,
)
from fervis.spec.report import Note, Part, Question, Reference, Report
from fervis.text import Text, message

SIZE = 48
CLASSES = tuple(
    Text({"en": en, "zh-Hant": f"{en} {zh}"})
    for en, zh in (
        ("angry", "生氣"),
        ("disgust", "厭惡"),
        ("fear", "恐懼"),
        ("happy", "高興"),
        ("sad", "難過"),
        ("surprise", "驚訝"),
        ("neutral", "中立"),
    )
)
INDICES = {0: 12, 1: 255, 2: 31, 3: 404, 4: 812, 5: 1024, 6: 77, "眼睛 eyes": 990}


class _Options(BaseModel):
    layer: str = ""


def both(zh: str, en: str) -> Text:
    return Text({"zh-Hant": zh, "en": en})


def png(array: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def face(seed: int) -> NDArray[np.uint8]:
    """A drawn face (48, 48, 1): an oval, eyes, brows and a mouth that changes with ``seed``."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    skin = 150 + rng.integers(0, 60)
    image = np.full((SIZE, SIZE), 40.0 + rng.integers(0, 30))
    image[((x - 24) / 17) ** 2 + ((y - 25) / 21) ** 2 < 1] = skin
    image += 12 * np.cos((x - 24) / 9)
    curve = rng.uniform(-3, 3)
    for side in (-1, 1):
        image[((x - 24 - side * 7.5) / 3.4) ** 2 + ((y - 20) / 2.2) ** 2 < 1] = 50
        image[(abs(x - 24 - side * 7.5) < 4.5) & (abs(y - 15 + side * curve * 0.3) < 1.1)] = 70
    image[(abs(x - 24) < 7) & (abs(y - 36 + curve * ((x - 24) / 7) ** 2) < 1.3)] = 60
    image += rng.normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)[..., None]


def heat(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    total = np.zeros((SIZE, SIZE))
    for _ in range(4):
        cx, cy, s = rng.uniform(10, 38), rng.uniform(10, 40), rng.uniform(3, 7)
        total += rng.uniform(0.4, 1) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * s * s))
    return (total * 0.0132).astype(np.float32)


def _map_panel(key: str, title: str, values: NDArray[np.float32]) -> Panel:
    scaled = by_maximum(values)
    return Panel(
        key,
        "map",
        message(title),
        message("Map of {what}", what=title),
        SIZE,
        SIZE,
        png=png(colourise(scaled, "jet")),
        colour_bar=ColourBar(0.0, float(values.max()), "jet"),
        variants={name: png(colourise(scaled, name)) for name in ("jet", "viridis")},
    )


def explanation(name: int | str, kind: str) -> Figure:
    seed = INDICES[name]
    image, values = face(seed)[..., 0], heat(seed + len(kind))
    covered = image.copy()
    covered[by_maximum(values) < 0.35] = 128
    overlay = (0.5 * image[..., None] + 0.5 * colourise(by_range(values), "jet")).astype(np.uint8)
    last = png(overlay) if kind == "gradcam" else png(covered)
    label = CLASSES[name] if isinstance(name, int) else CLASSES[4]
    return Figure(
        panels=(
            Panel(
                "picture",
                "picture",
                message("Picture"),
                message("Picture {index} of the split", index=seed),
                SIZE,
                SIZE,
                png(image),
            ),
            _map_panel("map", "Map", values),
            Panel(
                "last",
                "overlay",
                message("Overlay"),
                message("Overlay of map and picture"),
                SIZE,
                SIZE,
                last,
            ),
        ),
        caption=message(
            "Explanation of the class {name}: the warmest tenth of the pixels holds "
            "{share:.1%} of the total.",
            name=label,
            share=0.4321,
        ),
        facts=(
            Fact(message("Method"), f"{kind} (Simonyan 2013)"),
            Fact(message("Layer"), "conv2.relu (64×48×48)"),
            Fact(message("Scaling"), message("divided by the maximum")),
            Fact(message("Largest value"), float(values.max())),
        ),
        remarks=(message("No positive evidence was found."),) if name == 1 else (),
        data={"map": values},
    )


def grid(kind: str) -> Figure:
    rng = np.random.default_rng(len(kind))
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    tiles = []
    for channel in range(32):
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 14)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        values = by_range(wave + rng.normal(0, 0.2, wave.shape))
        tiles.append(
            Panel(
                f"channel-{channel}",
                "tile",
                message("{channel}", channel=channel),
                message("Channel {channel}", channel=channel),
                SIZE,
                SIZE,
                png((values * 255).astype(np.uint8)),
            )
        )
    return Figure(
        tuple(tiles),
        message("The first {count} channels of {layer}.", count=32, layer="conv2"),
        facts=(Fact(message("Steps"), 64), Fact(message("Layer"), "conv2 (64×48×48)")),
        remarks=(message("Channel 7 is dead: its gradient is zero everywhere."),)
        if kind == "filters"
        else (),
        data={"channels": rng.normal(size=(4, 5, 5)).astype(np.float32)},
    )


CHART = """<svg xmlns="http://www.w3.org/2000/svg" width="420pt" height="300pt"
 viewBox="0 0 420 300">{cells}<text x="210" y="290" font-size="9px" text-anchor="middle"
 fill="currentColor">Predicted class</text><text x="12" y="140" font-size="9px"
 text-anchor="middle" transform="rotate(-90 12 140)" fill="currentColor">True class</text></svg>"""


def confusion() -> Figure:
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 20, (7, 7)) + np.diag(rng.integers(80, 160, 7))
    shares = counts / counts.sum(1, keepdims=True)
    cells = ""
    for row in range(7):
        name = CLASSES[row].in_language("en")
        cells += (
            f'<text x="88" y="{row * 36 + 28}" font-size="9px" text-anchor="end" '
            f'fill="currentColor">{name}</text>'
            f'<text x="{115 + row * 44}" y="272" font-size="9px" text-anchor="middle" '
            f'fill="currentColor">{name}</text>'
        )
        for column in range(7):
            level = int(255 - 190 * shares[row, column])
            ink = "#ffffff" if shares[row, column] > 0.5 else "#1c2733"
            cells += (
                f'<rect x="{93 + column * 44}" y="{6 + row * 36}" width="43" height="35" '
                f'fill="rgb({level - 20 if level > 80 else 20},{level},255)"/>'
                f'<text x="{115 + column * 44}" y="{row * 36 + 28}" font-size="9px" '
                f'text-anchor="middle" fill="{ink}">{shares[row, column]:.0%}</text>'
            )
    rows = tuple(
        (CLASSES[k], 0.7 + 0.03 * k, 0.9 - 0.04 * k, 0.8, int(counts[k].sum())) for k in range(7)
    )
    return Figure(
        (
            Panel(
                "matrix",
                "chart",
                message("Confusion matrix"),
                message(
                    "Confusion matrix of {count} pictures, in shares of each true class",
                    count=int(counts.sum()),
                ),
                420,
                300,
                svg=CHART.format(cells=cells),
                words={
                    **{text.in_language("en"): text for text in CLASSES},
                    "True class": message("True class"),
                    "Predicted class": message("Predicted class"),
                },
            ),
        ),
        message(
            "Rows are true classes, columns are predicted ones; accuracy {accuracy:.1%}.",
            accuracy=0.837,
        ),
        facts=(Fact(message("Pictures"), int(counts.sum())),),
        tables=(
            Table(
                message("Scores of every class"),
                (
                    message("Class"),
                    message("Precision"),
                    message("Recall"),
                    message("F1"),
                    message("Support"),
                ),
                rows,
            ),
        ),
        remarks=(
            message(
                "{true} is most often taken for {predicted}.", true=CLASSES[2], predicted=CLASSES[5]
            ),
        ),
        data={"counts": counts},
    )


ZH = (
    "網路主要看的是**眉毛形狀**與額頭的皺紋，嘴角也有一些反應；"
    "背景幾乎沒有影響，這與人判斷表情時看的地方相當一致。"
)
EN = (
    "The network looks mostly at the **shape of the brows** and the wrinkles of the forehead, "
    "a little at the corners of the mouth, and hardly at the background."
)
FORMULA = (
    r"L^c_{\text{Grad-CAM}} = \mathrm{ReLU}\left(\sum_k \alpha_k^c A^k\right),\qquad "
    r"\alpha^c_k = \frac{1}{Z}\sum_i\sum_j \frac{\partial y^c}{\partial A^k_{ij}}"
)


def _explained(kind: str, names: tuple[int | str, ...], fail: int | None = None) -> Block:
    verdicts = ("right", "partly", "wrong", None)
    notes = tuple(
        (name, Note(both(ZH, EN), verdicts[place % 4])) for place, name in enumerate(names)
    )
    part = Part(
        kind,
        (),
        _Options(),
        text=both(
            "整體來說，模型在 `conv2` 之後看的區域與人相近[@simonyan]，"
            "例如 $\\left|\\partial y^c / \\partial x\\right|$ 在眼睛附近最大。",
            "On the whole the network looks where people look [@simonyan]; "
            "$\\left|\\partial y^c / \\partial x\\right|$ is largest around the eyes.",
        ),
        notes=notes,
    )
    return Block(
        part,
        tuple(
            Shown(
                None,
                name,
                Failure(
                    message("The explanation could not be computed."),
                    "ValueError: logits are not finite",
                ),
            )
            if name == fail
            else Shown(explanation(name, kind), name)
            for name in names
        ),
    )


def _pictures() -> dict[int | str, Picture]:
    pictures: dict[int | str, Picture] = {}
    for name, index in INDICES.items():
        rng = np.random.default_rng(index)
        label = name if isinstance(name, int) else 4
        logits = rng.normal(0, 1, 7)
        logits[label if name != 2 else 5] += 4
        share = np.exp(logits) / np.exp(logits).sum()
        pictures[name] = Picture(name, index, face(index), label, share.astype(np.float32))
    return pictures


def gallery() -> Gallery:
    """A split of 60 pictures; those of INDICES lie beyond it."""
    rng = np.random.default_rng(60)
    labels = np.arange(60) % 7
    logits = rng.normal(0, 1.2, (60, 7)) + 3 * np.eye(7)[labels]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    images = np.stack([face(seed) for seed in range(60)])
    return Gallery(images, labels, shares.astype(np.float32))


def questions() -> tuple[tuple[Question, ...], tuple[tuple[Block, ...], ...]]:
    everyone = (0, 1, 2, 3, 4, 5, 6)
    answers = (
        (_explained("saliency", everyone),),
        (
            Block(Part("filters", (), _Options(layer="conv2")), (Shown(grid("filters")),)),
            Block(
                Part(
                    "activations",
                    (),
                    _Options(layer="conv2"),
                    text=both(
                        "淺層的濾鏡以**邊緣**與條紋為主；對應的輸出保留了臉的輪廓。",
                        "Filters of early layers are **edges** and stripes; their outputs keep the "
                        "face's outline.",
                    ),
                ),
                (Shown(grid("activations"), 4),),
            ),
        ),
        (
            _explained("lime", everyone, fail=5),
            Block(
                Part(
                    "confusion",
                    (),
                    _Options(),
                    text=both(
                        "恐懼最常被誤認為驚訝：兩者都張大眼睛。\n\n"
                        "| 類別 | 現象 |\n|:--|--:|\n| 恐懼 | 張嘴 |\n",
                        "Fear is most often taken for surprise: both widen the eyes.\n\n"
                        "| class | sign |\n|:--|--:|\n| fear | open mouth |\n",
                    ),
                ),
                (Shown(confusion()),),
            ),
        ),
        (
            Block(
                Part(
                    "text",
                    (),
                    text=both(
                        "### 方法\n\n"
                        "Grad-CAM[@selvaraju] 以最後卷積層的梯度加權特徵圖：\n\n"
                        "1. 前向傳遞\n2. 反向傳遞\n3. 加權後取 ReLU\n",
                        "### Method\n\nGrad-CAM [@selvaraju] weighs the feature maps by "
                        "gradients:\n\n"
                        "1. forward\n2. backward\n3. weigh, then ReLU\n",
                    ),
                )
            ),
            Block(
                Part(
                    "math",
                    (),
                    latex=FORMULA,
                    text=both(
                        "其中 $A^k$ 是第 $k$ 個特徵圖。", "Here $A^k$ is the $k$-th feature map."
                    ),
                )
            ),
            _explained("gradcam", (6, 4, 3, "眼睛 eyes")),
        ),
    )
    titles = (
        ("顯著圖", "Saliency maps"),
        ("濾鏡與輸出", "Filters and outputs"),
        ("LIME 與混淆矩陣", "LIME and the confusion matrix"),
        ("自由發揮", "Something else"),
    )
    asked = tuple(
        Question(
            both(*titles[place]),
            tuple(block.part for block in blocks),
            points=2 + (place == 3),
            tag=both("自由選題", "free choice") if place == 3 else None,
            collaborators=both("無", "None"),
            ask=both(
                "從訓練好的模型挑出每類一張圖，畫出**顯著圖**，並說明模型看的是哪裡。",
                "Pick one picture of each class, plot its **saliency map**, and say where the "
                "network looks.",
            ),
        )
        for place, blocks in enumerate(answers)
    )
    return asked, answers


def sample(languages: tuple[str, ...] = ("zh-Hant", "en")) -> Document:
    """The document that the tests render."""
    asked, answers = questions()
    report = Report(
        file=Path("report.yaml"),
        title=both(
            "卷積網路看見了什麼：表情辨識的解釋", "What the network sees: explaining expressions"
        ),
        languages=languages,
        author=(
            (both("學號", "Student ID"), Text.same("B09901000")),
            (both("系級", "Department"), both("電機四", "EE, year 4")),
            (both("姓名", "Name"), both("林小明", "Lin Hsiao-Ming")),
        ),
        data=_Options(),
        data_kind="faces",
        model=_Options(),
        pictures=dict(INDICES),
        questions=asked,
        references=(
            Reference(
                Text.same(
                    "K. Simonyan, A. Vedaldi, A. Zisserman. *Deep Inside "
                    "Convolutional Networks*. 2013."
                ),
                "simonyan",
                "https://arxiv.org/abs/1312.6034",
            ),
            Reference(
                Text.same("R. Selvaraju et al. *Grad-CAM*. ICCV 2017."),
                "selvaraju",
                "https://arxiv.org/abs/1610.02391",
            ),
        ),
        date="2026-11-23",
    )
    methods = {
        name: Method(
            message(title),
            message("Which pixels matter to the class?"),
            formula,
            message("A map is no proof of a cause."),
            "Simonyan et al. 2013",
            "https://arxiv.org/abs/1312.6034",
        )
        for name, title, formula in (
            ("saliency", "Saliency map", r"\left|\partial y^c/\partial x\right|"),
            ("filters", "Filters", r"x^* = \arg\max_x a_k(x)"),
            ("activations", "Filter outputs", ""),
            ("lime", "LIME", r"\xi(x)"),
            ("confusion", "Confusion matrix", ""),
            ("gradcam", "Grad-CAM", FORMULA),
        )
    }
    layers = tuple(
        {"name": name, "path": f"features.{k}", "kind": kind, "shape": shape, "parameters": count}
        for k, (name, kind, shape, count) in enumerate(
            (
                ("conv1", "Conv2d", (64, 48, 48), 640),
                ("conv1.relu", "ReLU", (64, 48, 48), 0),
                ("pool1", "MaxPool2d", (64, 24, 24), 0),
                ("conv2", "Conv2d", (128, 24, 24), 73856),
                ("fc1", "Linear", (7,), 1_204_231),
            )
        )
    )
    return Document(
        report,
        CLASSES,
        "test",
        "faces",
        3500,
        _pictures(),
        answers,
        NetworkFacts(
            "default", layers, 1_278_727, message("logits, as the network returns them"), "0" * 64
        ),
        accuracy=0.8371,
        methods=methods,
        versions={"torch": "2.13.0", "numpy": "2.4.6"},
        failures=("questions[2].answer[0].lime, picture 5: logits are not finite",),
        gallery=gallery(),
    )
