"""What holds for all analyses, whatever they compute: one row for each in a table."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fervis.analyses as room
from fervis.analyses import REGISTRY, Context, Result, Subjects
from fervis.draw import png
from fervis.draw.figure import Figure
from fervis.errors import AnalysisError, LayerError
from fervis.model.classifier import Classifier
from fervis.text import Message, Text
from tests.analyses.conftest import CLASSES, rngs, subjects_of
from tests.analyses.stand_in import deep_network

OPTIONS: dict[str, dict[str, Any]] = {
    "activations": {"layer": "conv2.relu", "image": 0, "first": 5},
    "confusion": {},
    "filters": {"layer": "conv2.relu", "first": 5, "steps": 5},
    "gradcam": {},
    "lime": {"samples": 60, "segments": 9},
    "predictions": {},
    "saliency": {},
    "training": {"log": "log.csv"},
}
ASKS_THE_NETWORK = sorted(name for name in OPTIONS if REGISTRY[name].SCOPE in ("image", "network"))


def subjects(name: str, images: np.ndarray) -> Subjects:
    nothing = np.zeros((0, 12, 10, 1), np.uint8)
    match REGISTRY[name].SCOPE:
        case "image":
            return subjects_of(images, np.array([0, 1, 2, 1, 0]))
        case "split":
            probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 40).astype(np.float32)
            return Subjects(nothing, np.arange(40) % 3, rngs(1), probabilities=probabilities)
        case "log":
            return Subjects(
                nothing,
                None,
                rngs(1),
                log={
                    "epoch": np.arange(1, 5.0),
                    "train_loss": np.array([3, 2, 1.5, 1]),
                    "valid_accuracy": np.array([0.2, 0.5, 0.6, 0.6]),
                },
            )
        case _:
            return Subjects(nothing, None, rngs(1))


def compute(name: str, images: np.ndarray, net: Classifier | None = None) -> list[Result]:
    analysis = REGISTRY[name]
    options = analysis.Options.model_validate(OPTIONS[name])
    net = (net or deep_network()) if name in ASKS_THE_NETWORK else None
    return list(analysis.compute(net, subjects(name, images), options))


def draw(name: str, result: Result, context: Context) -> Figure:
    analysis = REGISTRY[name]
    return analysis.draw(result, analysis.Options.model_validate(OPTIONS[name]), context)


@pytest.fixture(scope="module")
def drawn() -> dict[str, Figure]:
    images = np.random.default_rng(1).integers(0, 256, (5, 12, 10, 1), dtype=np.uint8)
    context = Context(
        classes=CLASSES,
        split="test",
        seed=7,
        image=images[0],
        name="0",
        index=55,
        label=0,
        layers={"conv2.relu": (8, 12, 10)},
    )
    return {name: draw(name, compute(name, images)[0], context) for name in OPTIONS}


def test_the_table_has_every_analysis():
    assert set(OPTIONS) == set(REGISTRY)


class Snapshot:
    """All that a run could change in a network."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.state = {name: value.clone() for name, value in network.state_dict().items()}
        self.modes = [module.training for module in network.modules()]
        self.hooks = [
            len(module._forward_hooks)
            + len(module._forward_pre_hooks)
            + len(module._backward_hooks)
            for module in network.modules()
        ]
        self.gradients = [parameter.grad for parameter in network.parameters()]
        self.asking = [parameter.requires_grad for parameter in network.parameters()]
        self.random = torch.get_rng_state()

    def differs(self, other: Snapshot) -> list[str]:
        changed = [
            name
            for name in ("modes", "hooks", "asking")
            if getattr(self, name) != getattr(other, name)
        ]
        changed += [
            name for name in self.state if not torch.equal(self.state[name], other.state[name])
        ]
        changed += ["gradients"] * any(grad is not None for grad in other.gradients)
        changed += ["random state"] * (not torch.equal(self.random, other.random))
        return changed


def unusual(net: Classifier) -> Classifier:
    """Some modules train, some do not, and a parameter is frozen: nobody tidies that up."""
    net.network.train()
    net.network[1].eval()
    next(net.network.parameters()).requires_grad_(False)
    return net


@pytest.mark.parametrize("name", ASKS_THE_NETWORK)
def test_it_leaves_the_network_and_the_pictures_as_it_found_them(name, images):
    net, given = unusual(deep_network()), images.copy()
    before = Snapshot(net.network)
    compute(name, images, net)
    assert before.differs(Snapshot(net.network)) == []
    np.testing.assert_array_equal(images, given)


@pytest.mark.parametrize("name", ASKS_THE_NETWORK)
def test_it_leaves_the_network_as_it_found_it_when_that_raises(name, images):
    net = unusual(deep_network())

    def fail(*_: object) -> None:
        raise RuntimeError("out of patience")

    net.network[3].register_forward_hook(fail)
    before = Snapshot(net.network)
    with pytest.raises(AnalysisError, match="out of patience"):
        compute(name, images, net)
    assert before.differs(Snapshot(net.network)) == []


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_same_numbers_come_twice(name, images):
    for first, again in zip(compute(name, images), compute(name, images), strict=True):
        assert first.numbers == again.numbers
        for key, array in first.arrays.items():
            np.testing.assert_array_equal(array, again.arrays[key])


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_its_results_are_arrays_and_plain_numbers(name, images):
    for result in compute(name, images):
        assert all(type(array) is np.ndarray for array in result.arrays.values())
        assert all(type(value) in (int, float, str, bool) for value in result.numbers.values())
        assert not any(array.dtype == object for array in result.arrays.values())


@pytest.mark.parametrize("name", sorted(n for n in OPTIONS if REGISTRY[n].SCOPE == "image"))
def test_a_drawing_does_not_change_its_result_and_repeats(name, images):
    context = Context(classes=CLASSES, split="", seed=7, image=images[1], name="x", index=3)
    result = compute(name, images)[1]
    kept = {key: array.copy() for key, array in result.arrays.items()}
    first, again = (draw(name, result, context) for _ in range(2))
    assert first.panels == again.panels
    assert first.caption == again.caption
    for key, array in result.arrays.items():
        np.testing.assert_array_equal(array, kept[key])


def test_an_unknown_layer_is_answered_with_the_nearest_name(images):
    for name in ("filters", "activations", "gradcam"):
        analysis = REGISTRY[name]
        options = analysis.Options.model_validate({**OPTIONS[name], "layer": "conv9"})
        with pytest.raises(LayerError, match="conv"):
            analysis.compute(deep_network(), subjects(name, images), options)


def messages(value: object) -> Iterator[Message]:
    """Every message in a figure, also those inside another's values."""
    if isinstance(value, Message):
        yield value
        yield from messages(list(value.values.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from messages(item)
    elif hasattr(value, "__dataclass_fields__"):
        for field in value.__dataclass_fields__:
            yield from messages(getattr(value, field))


def english(message: Message) -> str:
    def plain(value: object) -> object:
        if isinstance(value, Message):
            return english(value)
        return value.in_language("en") if isinstance(value, Text) else value

    return message.msgid.format(**{key: plain(value) for key, value in message.values.items()})


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_sentence_has_the_values_it_speaks_of(drawn, name):
    for message in messages(drawn[name]):
        english(message)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_captions_and_alternative_texts_are_whole_sentences(drawn, name):
    figure = drawn[name]
    for message in (figure.caption, *figure.remarks, *(panel.alt for panel in figure.panels)):
        assert english(message).endswith("."), message
    alts = [english(panel.alt) for panel in figure.panels if panel.role == "tile"]
    assert len(set(alts)) == len(alts)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_pictures_are_as_large_as_they_say_and_have_names_of_their_own(drawn, name):
    panels = drawn[name].panels
    assert len({panel.key for panel in panels}) == len(panels)
    for panel in panels:
        assert bool(panel.png) != bool(panel.svg)
        for data in filter(None, (panel.png, *panel.variants.values())):
            assert png.decode(data).shape[:2] == (panel.height, panel.width)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_figure_offers_its_numbers_and_says_how_it_was_made(drawn, name):
    assert drawn[name].data
    assert drawn[name].facts


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_it_says_what_it_answers_and_what_it_cannot(name):
    analysis = REGISTRY[name]
    assert english(analysis.TITLE)
    assert english(analysis.ANSWERS).endswith("?")
    assert english(analysis.LIMITS).endswith(".")
    assert analysis.FORMULA.count("{") == analysis.FORMULA.count("}")
    assert "https://" in analysis.PAPER


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_option_is_described(name):
    for field in REGISTRY[name].Options.model_fields.values():
        assert field.description


@pytest.mark.parametrize(
    "file", sorted(Path(room.__file__).parent.glob("*.py")), ids=lambda f: f.stem
)
def test_sentences_are_literals_that_a_catalogue_can_be_extracted_from(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "message":
            pattern = node.args[0]
            assert isinstance(pattern, ast.Constant), f"{file.name}:{node.lineno}"
            names = {field for _, field, _, _ in string.Formatter().parse(pattern.value) if field}
            given = {keyword.arg for keyword in node.keywords}
            assert names <= given or None in given, f"{file.name}:{node.lineno}: {names - given}"
