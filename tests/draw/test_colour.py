import matplotlib
import numpy as np
import pytest

from fervis.draw import colour, png


@pytest.mark.parametrize("name", colour.COLOUR_MAPS)
def test_tables_are_matplotlibs(name):
    expected = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(colour.COLOUR_MAPS[name], expected)


def test_the_ends_of_the_scale_take_the_ends_of_the_table():
    table = colour.COLOUR_MAPS["viridis"]
    np.testing.assert_array_equal(
        colour.colourise(np.array([[0.0, 1.0]]), "viridis")[0], table[[0, 255]]
    )


def test_by_maximum_keeps_zero_and_uniform_evidence():
    np.testing.assert_allclose(colour.by_maximum(np.array([0.0, 1.0, 4.0])), [0, 0.25, 1])
    np.testing.assert_allclose(colour.by_maximum(np.full(3, 2.0)), 1.0)
    np.testing.assert_allclose(colour.by_maximum(np.zeros(3)), 0.0)


def test_by_range_stretches_and_makes_a_flat_map_black():
    np.testing.assert_allclose(colour.by_range(np.array([-1.0, 0.0, 1.0])), [0, 0.5, 1])
    np.testing.assert_allclose(colour.by_range(np.full(4, 7.0)), 0.0)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_png_gives_its_pixels_back_and_the_same_bytes_twice(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = png.encode(pixels)
    np.testing.assert_array_equal(png.decode(data), pixels[:, :, 0] if shape[-1] == 1 else pixels)
    assert data == png.encode(pixels)
    assert {data[i : i + 4] for i in range(len(data))} & {b"tEXt", b"tIME", b"tRNS"} == set()


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4), np.float32)])
def test_png_refuses_transparency_and_floats(bad):
    with pytest.raises(ValueError, match="uint8"):
        png.encode(bad)
