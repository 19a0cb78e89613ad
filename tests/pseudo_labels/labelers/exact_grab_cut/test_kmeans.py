import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.kmeans import (
    cluster,
    random_state,
)


def _opencv(points, seed):
    cv2.setRNGSeed(seed)
    _, labels, _ = cv2.kmeans(
        np.ascontiguousarray(points.T, np.float32),
        5,
        None,
        (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0),
        1,
        cv2.KMEANS_PP_CENTERS,
    )
    return labels.ravel()


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(5, 400),
    st.sampled_from([2, 6, 40, 256]),
    st.integers(0, 2**31 - 1),
)
def test_labels_are_opencv_s(data_seed, count, colors, seed):
    points = np.random.default_rng(data_seed).integers(0, colors, (3, count))
    points = points.astype(np.uint8)
    got = cluster(points, random_state(seed))
    assert np.array_equal(got, _opencv(points, seed))


@pytest.mark.parametrize('seed', [-1, 0, 1, 2**31 - 1])
def test_the_random_generator_goes_on_from_call_to_call(seed):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 3, 3000)).astype(np.uint8)
    state = random_state(seed)
    cluster(first, state)
    got = cluster(second, state)
    _opencv(first, seed)
    _, want, _ = cv2.kmeans(
        np.ascontiguousarray(second.T, np.float32),
        5,
        None,
        (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0),
        1,
        cv2.KMEANS_PP_CENTERS,
    )
    assert np.array_equal(got, want.ravel())


@pytest.mark.parametrize('count', [1, 2, 3, 4])
def test_fewer_points_than_clusters(count):
    points = np.arange(3 * count, dtype=np.uint8).reshape(3, count) * 9
    labels = cluster(points, random_state(0))
    assert sorted(labels) == list(range(count))


@pytest.mark.parametrize('count', [256, 257, 512, 70_000, 700_000])
def test_many_bright_points(count):
    # Sums of more than 2**24 round; 256 points of 255 just fit a block.
    rng = np.random.default_rng(count)
    points = 255 - rng.geometric(0.05, (3, count)).clip(1, 90)
    points[:, : count // 2] = 255
    points = points.astype(np.uint8)
    got = cluster(points, random_state(1))
    assert np.array_equal(got, _opencv(points, 1))
