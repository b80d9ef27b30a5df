"""A small project as a student would have it: a network in hw3.py, its weights, a data file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NETWORK = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(),
            nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))

    def forward(self, x):
        return self.head(self.features(x))
"""

REPORT = """\
version: 1
title: {zh-Hant: 表情分類的解釋, en: Explaining expressions}
languages: [en, zh-Hant]
author: {student id: B01234567, department: 資訊工程學系, name: 林小真}
data:
  kind: npz
  path: pictures.npz
  split: test
  classes: [{en: round, zh-Hant: 圓}, {en: striped, zh-Hant: 條紋}, {en: flat, zh-Hant: 平}]
model: {factory: hw3.py:Net, weights: best.pt, size: 24}
images:
  0: 0
  1: 14
  2: 24
  extra: 3
questions:
  - title: {en: Saliency, zh-Hant: 顯著圖}
    points: 2
    collaborators: None
    ask: {en: Where does it look?, zh-Hant: 它看哪裡？}
    answer:
      - saliency: {images: all}
        notes:
          0: {en: The rim., zh-Hant: 邊緣。}
          1: {en: The stripes., zh-Hant: 條紋。}
  - title: {en: Filters, zh-Hant: 濾波器}
    points: 1.5
    answer:
      - filters: {layer: conv2, first: 4, steps: 4}
      - activations: {layer: conv2, image: 0, first: 4}
  - title: {en: LIME and confusion, zh-Hant: LIME 與混淆矩陣}
    tag: {en: free choice, zh-Hant: 自由選題}
    answer:
      - lime: {images: [0], samples: 128, segments: 12}
      - confusion: {}
  - title: {en: Grad-CAM, zh-Hant: Grad-CAM}
    answer:
      - gradcam: {layer: conv2.relu, images: same as question 1}
      - math: L^c = \\mathrm{ReLU}\\left(\\sum_k \\alpha_k^c A^k\\right)
      - text: {en: "See [@cam].", zh-Hant: "見 [@cam]。"}
references:
  - {key: cam, text: Selvaraju et al. 2017, url: "https://arxiv.org/abs/1610.02391"}
"""


def pictures(count: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, 24, 24) uint8 discs, stripes and flat fields with noise, and their labels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :24]
    labels = np.repeat(np.arange(3), -(-count // 3))[:count]
    images = []
    for label in labels:
        cx, cy = rng.uniform(9, 15, 2)
        shape = (
            (np.hypot(x - cx, y - cy) < 7) * 160.0,
            (np.sin(x * rng.uniform(0.8, 1.2)) > 0) * 160.0,
            np.full((24, 24), 80.0),
        )[label]
        images.append(np.clip(shape + rng.normal(40, 12, (24, 24)), 0, 255))
    return np.asarray(images).astype(np.uint8), labels.astype(np.int64)


def write_project(folder: Path, report: str = REPORT) -> Path:
    """Writes hw3.py, best.pt (briefly trained), pictures.npz and report.yaml; returns the last."""
    import torch
    from torch.nn import functional as F

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hw3.py").write_text(NETWORK, "utf-8")
    images, labels = pictures()
    np.savez(folder / "pictures.npz", test_images=images, test_labels=labels)
    scope: dict[str, object] = {}
    exec(compile(NETWORK, "hw3.py", "exec"), scope)  # noqa: S102 (our own text above)
    torch.manual_seed(0)
    network = scope["Net"]()  # type: ignore[operator]
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    inputs = torch.from_numpy(images)[:, None].float() / 255
    for _ in range(25):
        optimiser.zero_grad()
        F.cross_entropy(network(inputs), torch.from_numpy(labels)).backward()
        optimiser.step()
    torch.save({"state_dict": network.state_dict()}, folder / "best.pt")
    file = folder / "report.yaml"
    file.write_text(report, "utf-8")
    return file
