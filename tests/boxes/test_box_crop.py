import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from box2seg_mmseg.boxes import BoxCrop


@st.composite
def _boxes(draw):
    """An image size and a box in whole pixels, down to 1 px, at any place."""
    height, width = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    x1 = draw(st.integers(0, width - 1))
    y1 = draw(st.integers(0, height - 1))
    x2 = draw(st.integers(x1 + 1, width))
    y2 = draw(st.integers(y1 + 1, height))
    return (height, width), (x1, y1, x2, y2)


def _distance(crop, row, column):
    """The entry of a pixel of the distance map, from the four sides."""
    left, top, right, bottom = crop.window
    x1, y1, x2, y2 = crop.box
    x_scale, y_scale = crop.side / (right - left), crop.side / (bottom - top)
    x1, x2 = (x1 - left) * x_scale, (x2 - left) * x_scale
    y1, y2 = (y1 - top) * y_scale, (y2 - top) * y_scale
    x, y = column + 0.5, row + 0.5
    distance = min(
        math.hypot(x - side, y - min(max(y, y1), y2)) for side in (x1, x2)
    )
    distance = min(
        distance,
        *(math.hypot(x - min(max(x, x1), x2), y - side) for side in (y1, y2)),
    )
    inside = x1 < x < x2 and y1 < y < y2
    return min(max(128 + (-distance if inside else distance), 0), 255)


@settings(max_examples=30)
@given(_boxes(), st.sampled_from([16, 31]), st.sampled_from([0, 0.3, 9]))
def test_distance_map_is_the_nearest_point_of_the_four_sides(
    case, side, margin
):
    size, box = case
    crop = BoxCrop(box, size, side, margin)
    want = [[_distance(crop, i, j) for j in range(side)] for i in range(side)]
    assert crop.distance_map.dtype == np.uint8
    assert np.abs(crop.distance_map - np.array(want)).max() <= 0.5 + 1e-9


def test_distances_are_cut_off():
    distances = BoxCrop((0, 0, 4, 4), (800, 800), 800, 199).distance_map
    assert distances.max() == 255
    distances = BoxCrop((0, 0, 800, 800), (800, 800), 800).distance_map
    assert distances.min() == 0


@given(_boxes(), st.floats(0, 2))
def test_the_window_is_the_box_and_its_margin_in_the_image(case, margin):
    (height, width), (x1, y1, x2, y2) = case
    crop = BoxCrop((x1, y1, x2, y2), (height, width), 16, margin)
    left, top, right, bottom = crop.window
    dx, dy = margin * (x2 - x1), margin * (y2 - y1)
    assert 0 <= left <= x1 < x2 <= right <= width
    assert 0 <= top <= y1 < y2 <= bottom <= height
    for got, want, limit in (
        (left, x1 - dx, 0),
        (top, y1 - dy, 0),
        (right, x2 + dx, width),
        (bottom, y2 + dy, height),
    ):
        assert got == limit or abs(got - want) < 1
    image = np.arange(height * width).reshape(height, width)
    inside = crop.inside(crop.cut(image))
    assert np.array_equal(inside, image[y1:y2, x1:x2])


@given(_boxes(), st.sampled_from([16, 64, 128]))
def test_what_is_pasted_lies_where_it_was_cropped(case, side):
    """A picture whose colours are its coordinates comes back."""
    size, box = case
    image = np.zeros((*size, 3), np.uint8)
    image[..., 0], image[..., 1] = np.indices(size)
    crop = BoxCrop(box, size, side)
    squeezed = crop.image(image)
    assert squeezed.shape == (side, side, 4)
    for channel, index, start in ((2, 0, 1), (1, 1, 0)):  # RGB from BGR
        got = crop.paste(squeezed[..., channel].astype(np.float32))
        want = crop.cut(image)[..., index]
        assert got.shape == want.shape
        length = crop.window[start + 2] - crop.window[start]
        # Rounding to uint8, and pixels beyond the middle of the last ones.
        assert np.abs(got - want).max() <= 0.5 + max(0.5, length / side)


@pytest.mark.parametrize('side', [20, 64])
def test_labels_are_those_at_the_middles_of_the_pixels(side):
    values = np.array([0, 7, 255], np.uint8)
    label_map = np.random.default_rng(0).choice(values, (40, 40))
    got = BoxCrop((10, 10, 30, 30), (40, 40), side, 0.5).label(label_map)
    # 20 px: the middles lie between two pixels, of which the second counts.
    index = ((np.arange(side) + 0.5) * 40 / side).astype(int)
    assert np.array_equal(got, label_map[index][:, index])
