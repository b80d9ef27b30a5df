"""Measure the shipped network and write docs/model-card.md: every figure in it comes from here.

    python tools/model_card.py --fer2013 fer2013.csv [--further 200]

PublicTest of FER2013 is scored with and without the pictures that are also in Training; the
rendered faces by identity; and further generated identities, which are not shipped, by age,
gender and skin tone. How people name the rendered expressions is read from
docs/faces-naming.csv (columns: true, named).
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from fervis.data import KINDS, open_dataset
from fervis.data.faces import generate, shipped
from fervis.data.faces.faceset import FaceSet
from fervis.engine import scores
from fervis.model.classifier import Classifier, load
from fervis.model.options import ModelOptions

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FURTHER_SEED = 2027


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fer2013", type=Path, required=True)
    parser.add_argument("--further", type=int, default=200, help="identities by age, gender, tone")
    parser.add_argument("--cache", type=Path, default=ROOT / "runs" / "card")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "model-card.md")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    classifier = load(ModelOptions(kind="default"), folder=ROOT, classes=7)
    values = {
        "names": NAMES,
        "parameters": classifier.parameters,
        "fer": fer2013(classifier, given.fer2013, given.cache),
        "faces": faces(classifier, shipped.load("test")),
        "further": further(classifier, given.further, given.cache),
        "naming": naming(ROOT / "docs" / "faces-naming.csv"),
        "log": list(csv.DictReader((ROOT / "fervis/model/weights/default.csv").open())),
    }
    template = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    ).from_string((ROOT / "tools" / "model_card.md.j2").read_text("utf-8"))
    given.out.write_text(template.render(values), "utf-8")
    print(given.out)


def fer2013(classifier: Classifier, path: Path, cache: Path) -> dict[str, object]:
    def split(name: str):
        options = KINDS["fer2013"].model_validate({"kind": "fer2013", "path": path, "split": name})
        return open_dataset(
            options, folder=Path.cwd(), cache=cache / "data", size=(48, 48), channels=1
        )

    public = split("PublicTest")
    seen = {picture.tobytes() for picture in split("Training").images}
    fresh = np.array([picture.tobytes() not in seen for picture in public.images])
    values = classifier.probabilities(public.images)
    return {
        "all": scored(values, public.labels),
        "fresh": scored(values[fresh], public.labels[fresh]),
        "duplicates": int((~fresh).sum()),
    }


def faces(classifier: Classifier, which: FaceSet) -> dict[str, object]:
    values = classifier.probabilities(which.images[..., None])
    return scored(values, which.labels, which.identities)


def further(classifier: Classifier, count: int, cache: Path) -> dict[str, object]:
    from fervis.data.faces import faceset

    stored = cache / f"further-{FURTHER_SEED}-{count}.npz"
    if not stored.exists():
        faceset.save(generate.render_set(count, FURTHER_SEED, 48, 1), stored)
    which = faceset.load(stored)
    values = classifier.probabilities(which.images[..., None])
    people = {person.number: person for person in which.people}
    rows = []
    for title, field in (("age", "age_group"), ("gender", "gender"), ("skin tone", "skin_tone")):
        of = np.array([getattr(people[int(number)], field) for number in which.identities])
        for group in sorted(set(of)):
            chosen = of == group
            rows.append(
                {
                    "attribute": title,
                    "group": group,
                    "identities": len(set(which.identities[chosen])),
                    "accuracy": scores.accuracy(
                        values[chosen], which.labels[chosen], which.identities[chosen]
                    ),
                }
            )
    return {
        "all": scored(values, which.labels, which.identities),
        "groups": rows,
        "identities": count,
    }


def naming(path: Path) -> dict[str, object] | None:
    if not path.exists():
        return None
    counts = np.zeros((7, 7), int)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts[NAMES.index(row["true"]), NAMES.index(row["named"])] += 1
    return {
        "counts": counts.tolist(),
        "share": f"{np.trace(counts) / counts.sum():.0%}",
        "pictures": int(counts.sum()),
    }


def scored(values, labels, groups=None) -> dict[str, object]:
    return {
        "accuracy": scores.accuracy(values, labels, groups),
        "recall": [f"{value:.1%}" for value in scores.recall(values, labels)],
        "support": np.bincount(labels, minlength=7).tolist(),
        "confusion": scores.confusion(values, labels).tolist(),
        "calibration": f"{scores.calibration_error(values, labels):.3f}",
        "confidence": f"{values.max(1).mean():.1%}",
    }


if __name__ == "__main__":
    main()
