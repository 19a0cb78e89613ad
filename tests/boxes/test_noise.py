import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.boxes import NOISES, BoxAnnotations, add_box_noise


def _annotations(boxes, labels, image_id='some', size=(80, 100)):
    return BoxAnnotations(image_id, 'some.jpg', size, boxes, labels)


@st.composite
def _any_boxes(draw):
    boxes = []
    for _ in range(draw(st.integers(0, 8))):
        x1 = draw(st.floats(0, 98, width=32))
        y1 = draw(st.floats(0, 78, width=32))
        boxes.append(
            (
                x1,
                y1,
                min(x1 + draw(st.floats(1, 100)), 100),
                min(y1 + draw(st.floats(1, 80)), 80),
            )
        )
    labels = [draw(st.integers(1, 3)) for _ in boxes]
    return _annotations(boxes, labels)


@given(
    _any_boxes(),
    st.sampled_from(list(NOISES)),
    st.floats(0, 1),
    st.integers(0),
)
def test_harmed_boxes_are_boxes(annotations, kind, share, seed):
    """BoxAnnotations checks that they lie in the image."""
    harmed = add_box_noise(annotations, kind, share, seed)
    assert set(harmed.labels) <= set(annotations.labels)
    assert len(harmed.labels) <= len(annotations.labels)
    again = add_box_noise(annotations, kind, share, seed)
    np.testing.assert_array_equal(harmed.boxes, again.boxes)
    if share == 0:
        np.testing.assert_array_equal(harmed.boxes, annotations.boxes)


def test_neighbours_of_a_class_become_the_box_around_both():
    annotations = _annotations(
        [(0, 0, 10, 10), (12, 5, 20, 30), (80, 60, 90, 70), (0, 0, 50, 50)],
        [1, 1, 1, 2],
    )
    merged = add_box_noise(annotations, 'merge', 1)
    # The first takes the second, its nearest; then the third, left alone of
    # the chosen, takes that.
    assert sorted(merged.labels) == [1, 2]
    assert merged.boxes[merged.labels == 1].tolist() == [[0, 0, 90, 70]]
    assert merged.boxes[merged.labels == 2].tolist() == [[0, 0, 50, 50]]


def test_the_share_is_what_is_dropped_and_moved():
    dropped = moved = total = 0
    moves = []
    for i in range(300):
        boxes = [(10, 10, 40, 50), (30, 20, 70, 60), (5, 40, 25, 70)]
        annotations = _annotations(boxes, [1, 1, 2], f'image_{i}')
        total += 3
        dropped += 3 - len(add_box_noise(annotations, 'drop', 0.3).labels)
        jittered = add_box_noise(annotations, 'jitter', 0.3).boxes
        moved += (jittered != annotations.boxes).any(1).sum()
        sides = jittered[:, 2:] - jittered[:, :2]
        ratio = sides / (annotations.boxes[:, 2:] - annotations.boxes[:, :2])
        assert (ratio > 3 / 4 - 1e-4).all() and (ratio < 4 / 3 + 1e-4).all()
        centres = jittered.reshape(-1, 2, 2).mean(1)
        old = annotations.boxes.reshape(-1, 2, 2).mean(1)
        moves.append(np.abs(centres - old) / (sides / ratio))
    # Three standard deviations of a binomial.
    for count in (dropped, moved):
        assert abs(count / total - 0.3) < 3 * (0.3 * 0.7 / total) ** 0.5
    assert 0.19 < np.max(moves) < 0.2 + 1e-4


@pytest.mark.parametrize('kind', ['drop', 'jitter'])
def test_another_seed_harms_other_boxes(kind):
    boxes = [(10 * i, 10, 10 * i + 9, 60) for i in range(10)]
    annotations = _annotations(boxes, [1] * 10)
    one, other = (add_box_noise(annotations, kind, 0.5, s) for s in (0, 1))
    assert one.boxes.tolist() != other.boxes.tolist()


def test_wrong_arguments_are_refused():
    annotations = _annotations([(0, 0, 9, 9)], [1])
    with pytest.raises(ValueError, match=r"merge, drop, jitter\. Got: 'blur'"):
        add_box_noise(annotations, 'blur', 0.1)
    with pytest.raises(ValueError, match=r'in \[0, 1\]\. Got: 10'):
        add_box_noise(annotations, 'drop', 10)
