"""Boxes against brute force over pixels, in exact arithmetic."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.boxes import (
    AnnotationError,
    BoxAnnotations,
    add_box_noise,
    boxed_pixels,
    pixel_boxes,
    select_detections,
)

# Halves are where rounding errs.
_halves = st.integers(-6, 40).map(lambda v: v / 2)
_coordinate = _halves | st.floats(-3, 20, width=32)
_HEIGHT, _WIDTH = 11, 14


@st.composite
def _box(draw):
    """A box with a part inside the image."""
    sides = []
    for limit in (_WIDTH, _HEIGHT):
        low = draw(_coordinate.filter(lambda v, n=limit: v < n))
        high = draw(_coordinate.filter(lambda v, a=low: v > max(a, 0)))
        sides.append((low, high))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def _covered(low, high, count):
    """The pixels whose middle lies in the side, or the one that holds it."""
    low, high, half = Fraction(low), Fraction(high), Fraction(1, 2)
    found = {i for i in range(count) if low < i + half <= high}
    # Rounding takes an edge outside the image to the image's.
    found |= {0} if low <= -half and high >= half else set()
    middle = (low + high) / 2
    nearest = min(max(int(middle // 1), 0), count - 1)
    return found or {nearest}


@given(st.lists(_box(), max_size=4))
def test_pixels_are_those_whose_middle_is_inside(boxes):
    got = pixel_boxes(np.array(boxes).reshape(-1, 4), (_HEIGHT, _WIDTH))
    union = np.zeros((_HEIGHT, _WIDTH), bool)
    for (x1, y1, x2, y2), (a, b, c, d) in zip(boxes, got, strict=True):
        columns = _covered(x1, x2, _WIDTH)
        rows = _covered(y1, y2, _HEIGHT)
        assert set(range(a, c)) == columns
        assert set(range(b, d)) == rows
        for y in rows:
            union[y, list(columns)] = True
    assert np.array_equal(
        boxed_pixels(np.array(boxes).reshape(-1, 4), union.shape), union
    )


@st.composite
def _annotations(draw, scores=False):
    boxes, labels = [], []
    for _ in range(draw(st.integers(0, 7))):
        x1, y1 = draw(st.integers(0, 30)), draw(st.integers(0, 20))
        x2 = draw(st.integers(x1 + 1, 31))
        y2 = draw(st.integers(y1 + 1, 21))
        boxes.append((x1, y1, x2, y2))
        labels.append(draw(st.integers(1, 2)))
    values = [draw(st.integers(0, 8)) / 8 for _ in boxes]
    values = np.array(values, np.float32) if scores else None
    return BoxAnnotations('x', 'x', (21, 31), boxes, labels, values)


def _iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    overlap = Fraction(max(width, 0)) * Fraction(max(height, 0))
    area = sum(Fraction(c[2] - c[0]) * Fraction(c[3] - c[1]) for c in (a, b))
    return overlap / (area - overlap)


@given(
    _annotations(scores=True),
    st.integers(0, 8),
    st.sampled_from([None, 0.1, 0.3, 0.5, 0.7]),
)
def test_detections_that_stay_and_go(found, threshold, nms_iou):
    kept = select_detections(found, threshold / 8, nms_iou)
    rows = [
        (int(label), score, tuple(map(int, box)))
        for label, score, box in zip(
            found.labels, found.scores, found.boxes, strict=True
        )
        if score >= threshold / 8
    ]
    got = [
        (int(label), score, tuple(map(int, box)))
        for label, score, box in zip(
            kept.labels, kept.scores, kept.boxes, strict=True
        )
    ]
    left = iter(rows)
    assert all(row in left for row in got), 'in the order of the file'
    if nms_iou is None:
        assert got == rows
        return
    # OpenCV computes in float32, so a tie may go either way.
    near, tie = Fraction(nms_iou), Fraction(1, 10**6)
    for i, one in enumerate(got):
        for other in got[:i]:
            assert one[0] != other[0] or _iou(one[2], other[2]) < near + tie
    for row in rows:
        assert row in got or any(
            row[0] == other[0]
            and other[1] >= row[1]
            and _iou(row[2], other[2]) > near - tie
            for other in got
        )


@given(_annotations(), st.floats(0, 1), st.integers(0, 99))
def test_merged_boxes_are_around_boxes_of_their_class(found, share, seed):
    merged = add_box_noise(found, 'merge', share, seed)
    old = list(zip(found.labels.tolist(), found.boxes.tolist(), strict=True))
    for label, box in zip(merged.labels, merged.boxes.tolist(), strict=True):
        inside = [
            b
            for own, b in old
            if own == label
            and b[0] >= box[0]
            and b[1] >= box[1]
            and b[2] <= box[2]
            and b[3] <= box[3]
        ]
        assert inside
        assert box == [
            *np.min(inside, 0)[:2].tolist(),
            *np.max(inside, 0)[2:].tolist(),
        ]
    for label, box in old:
        assert any(
            own == label
            and b[0] <= box[0]
            and b[1] <= box[1]
            and b[2] >= box[2]
            and b[3] >= box[3]
            for own, b in zip(
                merged.labels, merged.boxes.tolist(), strict=True
            )
        )


@given(_annotations(), st.floats(0, 1), st.integers(0, 99))
def test_dropped_boxes_leave_the_others_in_order(found, share, seed):
    rows = list(zip(found.labels.tolist(), found.boxes.tolist(), strict=True))
    kept = add_box_noise(found, 'drop', share, seed)
    left = iter(rows)
    got = zip(kept.labels.tolist(), kept.boxes.tolist(), strict=True)
    assert all(row in left for row in got)


@given(st.text(max_size=30), st.integers(1, 200))
def test_a_message_is_one_printable_line(text, times):
    text *= times
    got = str(AnnotationError(text))
    assert got.isprintable() and len(got) < 10_000
    assert got == ' '.join(got.split())
    if text.isprintable() and len(text) < 900:
        assert got == ' '.join(text.split())
