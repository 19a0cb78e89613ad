import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.pseudo_labels.refinement import (
    mix_probabilities,
    raise_filling_rate,
    refine_label_map,
)


def _random_case(seed, num_classes=3, size=(9, 11)):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(num_classes), size).transpose(2, 0, 1)
    boxes, labels = [], []
    for _ in range(rng.integers(1, 4)):
        y = np.sort(rng.choice(size[0] + 1, 2, replace=False))
        x = np.sort(rng.choice(size[1] + 1, 2, replace=False))
        boxes.append((x[0], y[0], x[1], y[1]))
        labels.append(rng.integers(1, num_classes))
    old = np.zeros(size, np.uint8)
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        inside = old[y1:y2, x1:x2]
        inside[rng.random(inside.shape) < 0.6] = label
    old[rng.random(size) < 0.1] = 255
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    return image, np.array(boxes), np.array(labels), probs, old


@pytest.mark.property
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.5, 1))
def test_the_mix_is_the_formula(seed, share, confidence):
    rng = np.random.default_rng(seed)
    allowed = rng.random((4, 3, 5)) < 0.6
    allowed[0] = True
    probs = rng.random(allowed.shape) * allowed
    probs /= probs.sum(0)
    old = rng.choice([0, 1, 2, 3, 255], (3, 5)).astype(np.uint8)
    mixed = mix_probabilities(probs, old, allowed, share, confidence)
    for y, x in np.ndindex(old.shape):
        possible = np.flatnonzero(allowed[:, y, x]).tolist()
        for c in range(4):
            if c not in possible:
                prior = 0.0
            elif old[y, x] not in possible:
                prior = 1 / len(possible)
            elif len(possible) == 1:
                prior = 1.0
            elif old[y, x] == c:
                prior = confidence
            else:
                prior = (1 - confidence) / (len(possible) - 1)
            want = share * probs[c, y, x] + (1 - share) * prior
            assert mixed[c, y, x] == pytest.approx(want, abs=1e-6)


@pytest.mark.property
@given(st.integers(0, 10**6), st.floats(0, 0.95))
def test_a_low_filling_rate_is_raised_and_no_order_changes(seed, least):
    rng = np.random.default_rng(seed)
    probs = rng.uniform(1e-6, 1 - 1e-6, (4, 6))
    raised = raise_filling_rate(probs, least)
    if probs.mean() >= least:
        assert (raised == probs).all()
        return
    assert raised.mean() == pytest.approx(least, abs=1e-4)
    odds = np.log(raised / (1 - raised)) - np.log(probs / (1 - probs))
    assert odds.std() < 1e-6 * max(1, odds.mean())


@pytest.mark.property
@given(st.integers(0, 10**6))
def test_classes_stay_in_their_boxes(seed):
    image, boxes, labels, probs, old = _random_case(seed)
    new, fallbacks = refine_label_map(
        image, boxes, labels, probs, old, 0.5, 0.7, 0.9, 0.2, None
    )
    assert len(fallbacks) == len(boxes)
    for label in np.unique(new[new > 0]):
        possible = np.zeros(old.shape, bool)
        for x1, y1, x2, y2 in boxes[labels == label]:
            possible[y1:y2, x1:x2] = True
        assert possible[new == label].all()


def test_without_a_network_the_old_label_remains():
    for seed in range(20):
        image, boxes, labels, probs, old = _random_case(seed)
        old[old == 255] = 0
        new, _ = refine_label_map(
            image, boxes, labels, probs, old, 0.0, 0.7, 0.0, 0.0, None
        )
        np.testing.assert_array_equal(new, old)


def test_a_network_decides_by_hand_computed_odds():
    """One box; network 0.9 and 0.2, old label 0 and 1."""
    image = np.zeros((1, 3, 3), np.uint8)
    boxes, labels = np.array([(0, 0, 2, 1)]), np.array([5])
    probs = np.zeros((6, 1, 3))
    probs[5] = 0.9, 0.2, 1.0
    probs[0] = 1 - probs[5]
    old = np.array([(0, 5, 0)], np.uint8)

    def refine(share, confidence=0.7):
        return refine_label_map(
            image, boxes, labels, probs, old, share, confidence, 0, 0, None
        )[0].tolist()

    # 0.5 * 0.9 + 0.5 * 0.3 = 0.6; 0.5 * 0.2 + 0.5 * 0.7 = 0.45.
    assert refine(0.5) == [[5, 0, 0]]
    # 0.3 * 0.9 + 0.7 * 0.3 = 0.48; 0.3 * 0.2 + 0.7 * 0.7 = 0.55.
    assert refine(0.3) == [[0, 5, 0]]


def test_a_box_that_would_be_emptied_keeps_its_old_label():
    image = np.zeros((4, 8, 3), np.uint8)
    boxes = np.array([(0, 0, 4, 4), (4, 0, 8, 4)])
    old = np.zeros((4, 8), np.uint8)
    old[1:3, 1:3] = 1
    old[:, 4:] = 2
    probs = np.zeros((3, 4, 8))
    probs[0], probs[1] = 0.99, 0.01  # nothing anywhere
    for least, want in ((0.2, old), (0.0, np.zeros_like(old))):
        new, fallbacks = refine_label_map(
            image, boxes, np.array([1, 2]), probs, old, 1, 0.7, 0, least, None
        )
        np.testing.assert_array_equal(new, want)
        reasons = [reason is not None for reason in fallbacks]
        assert reasons == [least > 0, least > 0]


def test_a_crf_cannot_put_a_class_outside_its_boxes():
    image, boxes = np.zeros((2, 4, 3), np.uint8), np.array([(0, 0, 2, 2)])
    probs = np.full((2, 2, 4), 0.5)
    new, _ = refine_label_map(
        image,
        boxes,
        np.array([1]),
        probs,
        np.zeros((2, 4), np.uint8),
        *(0.5, 0.7, 0.0, 0.0),
        lambda image, mixed: np.ones(mixed.shape[1:], np.uint8),
    )
    assert new.tolist() == [[1, 1, 0, 0]] * 2
