import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.pseudo_labels.refinement import (
    raise_filling_rate,
    raise_rows_and_columns,
    refine_segment,
)


def _refine(
    probs,
    old,
    share=0.5,
    confidence=0.7,
    gamma=0.0,
    tightness=0.0,
    least=0.0,
    crf=None,
):
    """Refine the box (2, 1)-(2 + w, 1 + h) of an image that is larger."""
    probs, old = np.asarray(probs), np.asarray(old, np.uint8)
    height, width = old.shape
    image = np.zeros((height + 40, width + 50, 3), np.uint8)
    image[1 : 1 + height, 2 : 2 + width] = 9
    box = (2, 1, 2 + width, 1 + height)
    return refine_segment(
        image,
        box,
        probs,
        old,
        share,
        confidence,
        gamma,
        tightness,
        least,
        crf,
    )


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
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_each_row_and_column_is_raised_as_far_as_needed(seed, least):
    rng = np.random.default_rng(seed)
    probs = rng.uniform(1e-6, 1 - 1e-6, (4, 6)) ** 3
    raised = raise_rows_and_columns(probs, least)
    assert min(raised.max(0).min(), raised.max(1).min()) >= least - 1e-9

    def log_odds(p):
        return math.log(p / (1 - p))

    for y, x in np.ndindex(probs.shape):
        lacking = max(
            log_odds(least) - log_odds(max(line))
            for line in (probs[y], probs[:, x])
        )
        moved = log_odds(raised[y, x]) - log_odds(probs[y, x])
        assert moved == pytest.approx(max(0, lacking), abs=1e-6)


def test_a_row_without_object_gets_its_most_probable_pixels():
    probs = [[0.9, 0.2, 0.8], [0.1, 0.3, 0.3], [0.7, 0.9, 0.2]]
    old = np.full((3, 3), 255)  # stands for 0.5
    # Halfway to 0.5, the second row has 0.3, 0.4 and 0.4. Raised to a maximum
    # of 0.65, it has 0.54, 0.65 and 0.65.
    for tightness, row in ((0, [0, 0, 0]), (0.65, [1, 1, 1])):
        segment = _refine(probs, old, tightness=tightness)
        assert segment.values.tolist() == [[1, 0, 1], row, [1, 1, 0]]
    # To 0.52: 0.41, 0.52 and 0.52.
    segment = _refine(probs, old, tightness=0.52)
    assert segment.values.tolist() == [[1, 0, 1], [0, 1, 1], [1, 1, 0]]


@pytest.mark.property
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.5, 1))
def test_a_segment_is_the_formula(seed, share, confidence):
    rng = np.random.default_rng(seed)
    probs, old = rng.random((5, 7)), rng.choice([0, 1, 255], (5, 7))
    segment = _refine(probs, old, share, confidence)
    for y, x in np.ndindex(old.shape):
        prior = {0: 1 - confidence, 1: confidence, 255: 0.5}[old[y, x]]
        mixed = share * probs[y, x] + (1 - share) * prior
        if abs(mixed - 0.5) > 1e-6:
            assert segment.values[y, x] == (mixed > 0.5)


def test_a_network_decides_by_hand_computed_odds():
    """Network 0.9, 0.2 and 0.9; old label 0, 1 and unknown."""
    probs, old = [[0.9, 0.2, 0.9]], [[0, 1, 255]]
    # 0.5 * 0.9 + 0.5 * 0.3 = 0.6; 0.5 * 0.2 + 0.5 * 0.7 = 0.45.
    assert _refine(probs, old, 0.5).values.tolist() == [[1, 0, 1]]
    # 0.3 * 0.9 + 0.7 * 0.3 = 0.48; 0.3 * 0.2 + 0.7 * 0.7 = 0.55.
    assert _refine(probs, old, 0.3).values.tolist() == [[0, 1, 1]]
    assert _refine(probs, old, 0.0).values.tolist() == [[0, 1, 0]]


def test_an_unsure_network_is_raised_to_the_old_filling_rate():
    probs, old = [[0.3, 0.2, 0.1, 0.1]], [[1, 1, 0, 0]]
    assert _refine(probs, old, 1.0).values.tolist() == [[0, 0, 0, 0]]
    # Log-odds raised by about 1.45 give 0.65, 0.52, 0.32, 0.32: mean 0.45.
    segment = _refine(probs, old, 1.0, gamma=0.9)
    assert segment.values.tolist() == [[1, 1, 0, 0]]


def test_a_box_that_would_be_emptied_keeps_its_old_segment():
    old = np.zeros((10, 10), np.uint8)
    old[2:8, 2:8], old[0] = 1, 255
    probs = np.full(old.shape, 0.01)
    probs[4, :8] = 0.99  # 8 % of the box
    kept = _refine(probs, old, 1.0, least=0.2)
    np.testing.assert_array_equal(kept.values, old)
    assert kept.fallback.startswith('old label kept')
    changed = _refine(probs, old, 1.0, least=0.05)
    np.testing.assert_array_equal(changed.values, probs > 0.5)
    assert changed.fallback is None
    # An old segment that is even emptier is no better.
    assert _refine(probs, 0 * old, 1.0, least=0.2).fallback is None


def test_a_crf_sees_the_surroundings_of_the_box_and_labels_the_box():
    probs, old = np.full((8, 12), 0.6), np.ones((8, 12), np.uint8)
    seen = []

    def crf(image, probs):
        seen.append((image, probs))
        label = np.zeros(image.shape[:2], np.uint8)
        label[:, :5] = 1
        return label

    segment = _refine(probs, old, crf=crf)
    ((image, mixed),) = seen
    # A quarter of 12 and of 8 on each side, where the image goes on.
    assert image.shape == (1 + 8 + 2, 2 + 12 + 3, 3)
    assert (image[1:9, 2:14] == 9).all()
    assert (image == 9).mean() == 96 / (11 * 17)
    np.testing.assert_allclose(mixed[1, 1:9, 2:14], 0.65, rtol=1e-6)
    assert mixed[1].sum() == pytest.approx(96 * 0.65)
    np.testing.assert_allclose(mixed.sum(0), 1)
    want = np.zeros((8, 12), np.uint8)
    want[:, :3] = 1  # columns 2 to 4 of what the CRF saw
    np.testing.assert_array_equal(segment.values, want)
