import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from box2seg_mmseg.boxes import AnnotationError, BoxAnnotations, pixel_boxes


def _annotations(boxes, labels, **kwargs):
    return BoxAnnotations('a', 'a.jpg', (20, 30), boxes, labels, **kwargs)


def test_arrays_get_their_shapes_and_dtypes():
    empty = _annotations([], [])
    assert empty.boxes.shape == (0, 4) and empty.labels.shape == (0,)
    one = _annotations([[0, 0, 30, 20]], [1])
    assert one.boxes.dtype == np.float32 and one.labels.dtype == np.int64


@pytest.mark.parametrize(
    'box',
    [
        [5, 5, 5, 9],
        [9, 5, 5, 9],
        [-1, 0, 5, 5],
        [0, 0, 31, 5],
        [0, 0, 5, 21],
        [0, float('nan'), 5, 5],
    ],
)
def test_impossible_boxes_are_named(box):
    with pytest.raises(AnnotationError, match=r'a: object 2 needs.*Got'):
        _annotations([[0, 0, 1, 1], box], [1, 1])


def test_background_is_no_label_and_lengths_must_agree():
    with pytest.raises(AnnotationError, match='label 0'):
        _annotations([[0, 0, 1, 1]], [0])
    with pytest.raises(AnnotationError, match='labels must have one'):
        _annotations([[0, 0, 1, 1]], [1, 2])
    with pytest.raises(AnnotationError, match='scores must have one'):
        _annotations([[0, 0, 1, 1]], [1], scores=np.ones(2))
    with pytest.raises(AnnotationError, match='difficult must have one'):
        _annotations([[0, 0, 1, 1]], [1], flags=dict(difficult=[]))


coordinates = st.floats(-10, 40, width=32)


@given(coordinates, coordinates, coordinates, coordinates)
@example(24.5, 0.0, 24.75, 1.0)
def test_pixel_boxes_are_inside_and_never_empty(x1, y1, x2, y2):
    height, width = 20, 30
    usable = x1 < x2 and y1 < y2
    usable = usable and x2 > 0 and y2 > 0 and x1 < width and y1 < height
    if not usable:
        with pytest.raises(AnnotationError, match='Box 1 must be'):
            pixel_boxes([[x1, y1, x2, y2]], (height, width))
        return
    ((a, b, c, d),) = pixel_boxes([[x1, y1, x2, y2]], (height, width))
    assert 0 <= a < c <= width and 0 <= b < d <= height
    # A whole pixel may be added to keep a sliver from vanishing.
    for got, wanted, limit in (
        (a, x1, width),
        (b, y1, height),
        (c, x2, width),
        (d, y2, height),
    ):
        assert abs(got - min(max(wanted, 0), limit)) <= 1


def test_a_sliver_is_the_pixel_that_holds_it():
    slivers = [[24.5, 3.6, 24.75, 4.3], [29.6, 0.1, 31, 0.2]]
    want = [[24, 3, 25, 4], [29, 0, 30, 1]]
    assert pixel_boxes(slivers, (20, 30)).tolist() == want


@given(st.integers(0, 29), st.integers(0, 19), st.data())
def test_whole_pixels_stay(x1, y1, data):
    box = [x1, y1, data.draw(st.integers(x1 + 1, 30))]
    box.append(data.draw(st.integers(y1 + 1, 20)))
    assert pixel_boxes([box], (20, 30)).tolist() == [box]
