"""Planted errors, and how well findings find them."""

from fractions import Fraction

import numpy as np
import pytest
from audit_quality import _find_dropped, average_precision, plant
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.audit import Finding
from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.errors import UsageError


@st.composite
def _images(draw):
    boxes = [(0, 0, 5, 5), (20, 30, 90, 60)]
    for _ in range(draw(st.integers(0, 6))):
        x, y = draw(st.integers(0, 180)), draw(st.integers(0, 90))
        boxes.append((x, y, x + draw(st.integers(1, 20)), y + 10))
    labels = [draw(st.integers(1, 2)) for _ in boxes]
    return BoxAnnotations('some', 'some.jpg', (100, 200), boxes, labels)


def _around(boxes):
    return [*np.min(boxes, 0)[:2], *np.max(boxes, 0)[2:]]


@given(_images(), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 99))
def test_planted_errors(image, probability, draw):
    planted = plant(image, probability, draw)
    right = image.boxes.tolist()
    absorbed = 0
    for box, label, modes in zip(
        planted.image.boxes.tolist(),
        planted.image.labels,
        planted.modes,
        strict=True,
    ):
        if 'misaligned' in modes:
            continue
        own = image.boxes[image.labels == label].tolist()
        if 'merged' in modes:
            inside = [one for one in own if _around([one, box]) == box]
            assert len(inside) > 1
            assert _around(inside) == box
            absorbed += 1
        else:
            assert box in own
    for box in planted.dropped.tolist():
        if box not in right:  # merged before it was dropped
            absorbed += 1
    num_left = len(planted.modes) + len(planted.dropped)
    assert num_left <= len(right) - absorbed


def test_no_error_is_planted():
    image = BoxAnnotations(
        'some', 'some.jpg', (9, 9), [(0, 0, 4, 4), (5, 5, 9, 9)], [1, 1]
    )
    planted = plant(image, 0, 0)
    assert planted.image.boxes.tolist() == image.boxes.tolist()
    assert planted.modes == [set(), set()]
    assert planted.dropped.shape == (0, 4)


def _region(box, image_id='some'):
    return Finding('missing', 0.5, '', image_id, box)


def test_a_region_finds_a_dropped_box_once():
    image = BoxAnnotations('some', 'some.jpg', (100, 100), [], [])
    image = plant(image, 0, 0)
    planted = type(image)(
        image.image, [], np.array([(0, 0, 10, 10), (50, 50, 90, 90)])
    )
    found = [
        _region((5, 0, 16, 10)),  # 5 of 11 columns lie in the first box
        _region((5, 0, 14, 10)),  # 5 of 9
        _region((0, 0, 10, 10)),  # the same box again
        _region((40, 40, 60, 60)),  # a quarter lies in the second box
        _region((60, 60, 70, 70)),
    ]
    expected = [False, True, False, False, True]
    assert _find_dropped(found, [planted]) == expected


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=8
    )
)
def test_average_precision(findings):
    scores = [10 * score + i for i, (score, _) in enumerate(findings)]
    right = [is_right for _, is_right in findings]
    total = sum(right) + 2  # two that no finding shows
    expected = Fraction(0)
    for i, is_right in enumerate(right):
        if is_right:
            down_to_it = [
                other
                for other, score in zip(right, scores, strict=True)
                if score >= scores[i]
            ]
            expected += Fraction(sum(down_to_it), len(down_to_it)) / total
    assert average_precision(scores, right, total) == pytest.approx(
        float(expected)
    )


def test_average_precision_without_planted_errors():
    with pytest.raises(UsageError, match='no error was planted'):
        average_precision([0.5], [False], 0)
