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
        np.ascontiguousarray(points.T),
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
    points = points.astype(np.float32)
    got = cluster(points, random_state(seed))
    assert np.array_equal(got, _opencv(points, seed))


@pytest.mark.parametrize('seed', [-1, 0, 1, 2**31 - 1])
def test_the_random_generator_goes_on_from_call_to_call(seed):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 3, 3000)).astype(np.float32)
    state = random_state(seed)
    cluster(first, state)
    got = cluster(second, state)
    _opencv(first, seed)
    _, want, _ = cv2.kmeans(
        np.ascontiguousarray(second.T),
        5,
        None,
        (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0),
        1,
        cv2.KMEANS_PP_CENTERS,
    )
    assert np.array_equal(got, want.ravel())


@pytest.mark.parametrize('count', [1, 2, 3, 4])
def test_fewer_points_than_clusters(count):
    points = np.arange(3 * count, dtype=np.float32).reshape(3, count) * 9
    labels = cluster(points, random_state(0))
    assert sorted(labels) == list(range(count))
