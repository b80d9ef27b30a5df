"""Where a fuzz run starts: small good inputs, and the words that bad ones are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fervis import data as datasets
from fervis.analyses import REGISTRY
from fervis.model.options import ModelOptions
from fervis.spec.shape import (
    AuthorLine,
    BesideShape,
    NoteShape,
    QuestionShape,
    ReferenceShape,
    ReportShape,
)

_REPORT = """\
version: 1
title: {zh-Hant: 報告, en: Report}
languages: [zh-Hant, en]
author:
  - label: {zh-Hant: 學號, en: Student ID}
    value: 0123456
date: 2024-01-05
seed: 0x10
data: {kind: faces, split: test}
model: {kind: default}
images: {0: 12, 1: auto, eyes: 812}
questions:
  - title: One
    points: 2
    tag: free
    collaborators: None
    ask: >-
      Why *this*?
    answer:
      - saliency: {images: [1, 0]}
        title: T
        notes: {0: no, 1: {text: brows, verdict: partly}}
      - filters: {layer: conv2, first: 32}
      - text: '**bold**'
      - math: L^c = 1
  - title: Two
    answer:
      - saliency:
        text: {zh-Hant: 看, en: "look\\t"}
      - gradcam: {images: same as question 1, layer: conv2.relu}
      - lime: {samples: 1000, images: all}
      - confusion: {split: test}
      - activations: {layer: conv2, image: eyes}
references:
  - A paper
  - {key: b, text: Another, url: "https://example.org/b"}
"""
_NETWORK = """\
version: 1
title: Mine
languages: [en]
author: {id: 7}
data: {kind: fer2013, path: fer.csv, split: PublicTest, classes: {0: a, 1: {en: b}}, fit: pad}
model:
  factory: net.py:Net
  args: {depth: 3, names: [a, b]}
  weights: best.pt
  mean: [0.5, 0.5, 0.5]
  std: .5
  size: [64, 48]
  channels: 3
  output: logits
images: {0: 0}
questions:
- title: Q
  answer: [predictions: , training: {log: log.csv}]
"""
_ROW = "1 2 3 4"

SEEDS: Mapping[str, Sequence[bytes]] = {
    "report": (
        _REPORT.encode(),
        _NETWORK.encode(),
        _REPORT.replace("\n", "\r\n").encode("utf-8-sig"),
        _REPORT.encode() + b"\x1eimages.4=812\x1equestions[0].answer[0].saliency.images=all",
        _NETWORK.encode() + b"\x1emodel.args.'a.b'={c: 1}\x1equestions[0]=",
        b"- &a [*a, !!python/object:os.system x]\n---\n? {a: b}\n: |\n  c\n",
    ),
    "faces": tuple(
        b"\x05" + text.encode()
        for text in (
            f"emotion,pixels,Usage\n3,{_ROW},Training\n0,9 8 7 6,PublicTest\n",
            f"emotion, Usage, pixels\r\n3,PrivateTest,{_ROW}\r\n\r\n",
            f'\ufefflabel,feature\n6,"{_ROW}"\n0,255 0 255 0',
            f"id,feature\n0,{_ROW}\n\n\n1,{_ROW}\n",
        )
    ),
    "log": (
        b"epoch,loss,val_loss\n1,0.5,\n2,1e-3,nan\n",
        b'\xef\xbb\xbf"epoch", loss\r\n1,inf\r\n\r\n2,"3"\r\n',
    ),
}


def words(target: str) -> Sequence[bytes]:
    """What mutations put in: names of every field, and what the formats' own rules turn on."""
    return tuple(dict.fromkeys(_yaml() if target == "report" else _csv()))


def _yaml() -> Iterator[bytes]:
    options = [REGISTRY[name].Options for name in REGISTRY]
    kinds = [datasets.KINDS[kind] for kind in datasets.KINDS]
    shapes = (ReportShape, QuestionShape, BesideShape, NoteShape, ReferenceShape, AuthorLine)
    for model in (*shapes, ModelOptions, *kinds, *options):
        yield from (f"{name}: ".encode() for name in model.model_fields)
    yield from (f"- {name}: ".encode() for name in (*REGISTRY, "text", "math"))
    yield from (f"kind: {kind}".encode() for kind in datasets.KINDS)
    yield from b"""? : , - [ ] { } & * ! | > ' " % @ ` # --- ... &a *a <<: !!python/object:os.system
        !!binary !x |2 >- 'a' "\\ud800" "\\x00" \\N null ~ true .inf .nan -1 0 1e9 0o7 0x1F 99999999
        auto all zh-Hant en xx {} [] [0] {0: {en: in_language same""".split()
    yield from (b"same as question 1", b"same as question 2", b"https://e.org", b"http://", b"../x")
    yield from (b"\t", b"\r\n", b"\n", b"\n  ", b"\n- ", b" #", b"\0", b"\xff", b"\xef\xbb\xbf")
    yield from (c.encode() for c in "\u2028\x85\u202e中é\U0001f600\ufffe\ufeff")
    yield from (b"\x1e", b"\x1eimages.0=", b"\x1equestions[0].", b"[0]", b".'a.b'", b"=")


def _csv() -> Iterator[bytes]:
    yield from b"""emotion,pixels,Usage label,feature id,feature emotion usage pixels Training
        PublicTest PrivateTest , " "" 0 7 255 256 0255 -1 1.5 1e999 nan inf 1_0 epoch loss
        3,1 1,9""".split()
    yield from (b"1 2 3 4", b"3,1 2 3 4\n", b"\n", b"\r\n", b"\r", b"\n\n\n", b" ", b"\t", b"\0")
    yield from (b"\xff", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"\xc2\x85", b"\xe2\x80\xa8", b"\x0c")
    yield from ("\u0661".encode(), "１".encode(), "中".encode(), b"\n" * 101)
