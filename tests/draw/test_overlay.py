import numpy as np

from fervis.draw import overlay


def test_blend_with_opacity_zero_is_the_picture_and_one_the_colours():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4, 1) * 20
    colours = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(overlay.blend(picture, colours, 0.0), picture.repeat(3, 2))
    np.testing.assert_array_equal(overlay.blend(picture, colours, 1.0), colours)


def test_cover_fills_hidden_pixels_with_the_mean_and_leaves_the_rest():
    picture = np.array([[[0], [100]], [[200], [100]]], np.uint8)
    shown = overlay.cover(picture, np.array([[True, False], [False, True]]))
    np.testing.assert_array_equal(shown[..., 0], [[100, 100], [200, 100]])


def test_cover_of_a_colour_picture_takes_the_mean_of_each_channel():
    picture = np.zeros((2, 1, 3), np.uint8)
    picture[0, 0] = (30, 60, 90)
    shown = overlay.cover(picture, np.array([[False], [True]]))
    np.testing.assert_array_equal(shown[1, 0], [15, 30, 45])


def test_borders_stay_inside_the_chosen_segments():
    segments = np.zeros((6, 6), int)
    segments[:, 3:] = 1
    lines = overlay.borders(segments, segments == 0)
    assert lines[:, 2].all()
    assert not lines[:, 3:].any()
    assert not lines[2:4, 1].any()


def test_stripes_differ_from_a_plain_area():
    assert 0 < overlay.stripes((8, 8), 4).mean() < 0.5
