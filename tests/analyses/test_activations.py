import numpy as np
import pytest
from pydantic import ValidationError

from fervis.analyses import activations
from fervis.draw import png
from fervis.errors import AnalysisError
from tests.analyses.conftest import one
from tests.analyses.stand_in import deep_network, gap_network


def test_maps_are_what_the_layer_gives_for_each_picture(subjects):
    net = gap_network()
    expected = net.network[:2](net.to_input(subjects.images)).detach().numpy()
    results = activations.compute(net, subjects, activations.Options(layer="conv1.relu", image=0))
    for result, maps in zip(results, expected, strict=True):
        np.testing.assert_allclose(result.arrays["maps"], maps, atol=1e-6)


def test_a_later_in_place_relu_does_not_reach_the_maps(subjects):
    net = deep_network()
    results = activations.compute(
        net, subjects, activations.Options(layer="bn2", image=0, channels=[6, 0, 1, 2, 3])
    )
    expected = net.network[:5](net.to_input(subjects.images)).detach().numpy()
    assert expected.min() < 0
    for result, maps in zip(results, expected, strict=True):
        np.testing.assert_allclose(result.arrays["maps"], maps[[6, 0, 1, 2, 3]], atol=1e-6)


def test_a_batch_gives_what_each_picture_gives_alone(subjects):
    options = activations.Options(layer="conv3", image=0)
    for place, result in enumerate(activations.compute(deep_network(), subjects, options)):
        (alone,) = activations.compute(deep_network(), one(subjects, place), options)
        np.testing.assert_allclose(result.arrays["maps"], alone.arrays["maps"], atol=1e-5)


def test_tiles_are_stretched_each_and_their_range_is_kept(context):
    maps = np.stack([np.linspace(-2, 5, 12).reshape(3, 4), np.full((3, 4), 0.25)]).astype("f4")
    result = activations.Result({"maps": maps, "channels": np.array([0, 9])}, {"available": 12})
    figure = activations.draw(result, activations.Options(layer="conv2", image=0), context)
    first, flat = (png.decode(panel.png) for panel in figure.panels)
    assert (first.min(), first.max()) == (0, 255)
    assert not flat.any()
    assert [panel.title.values["channel"] for panel in figure.panels] == [0, 9]
    assert figure.data["minimum"].tolist() == [-2, 0.25]
    assert "9" in figure.remarks[0].values["channels"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer": "fc1"}, "no maps"),
        ({"layer": "conv1", "channels": [4]}, "channels 0 to 3"),
    ],
)
def test_what_the_layer_does_not_have_is_refused(subjects, options, words):
    with pytest.raises(AnalysisError, match=words):
        activations.compute(
            gap_network(), subjects, activations.Options.model_validate({"image": 0, **options})
        )


def test_the_picture_is_the_selection_and_no_part_of_the_key():
    options = activations.Options(layer="conv1", image="eyes")
    assert options.selection() == ["eyes"]
    assert options.layers() == ("conv1",)
    assert options.numbers_decided_by() == {"layer": "conv1", "first": 32, "channels": None}


def test_first_does_not_enter_the_key_of_named_channels():
    several = [activations.Options(layer="c", image=0, channels=[1], first=n) for n in (1, 2)]
    assert several[0].numbers_decided_by() == several[1].numbers_decided_by()


@pytest.mark.parametrize("wrong", [{"first": 0}, {"channels": []}, {"channels": [-1]}, {"last": 3}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        activations.Options.model_validate({"layer": "conv1", "image": 0, **wrong})
