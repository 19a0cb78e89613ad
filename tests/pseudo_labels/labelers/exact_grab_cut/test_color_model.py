import numpy as np
import pytest
from scipy.stats import multivariate_normal

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.color_model import (
    cost,
    learn,
    relearn,
)

# OpenCV's density leaves the constant of the normal distribution out.
CONSTANT = (2 * np.pi) ** 1.5


def _colors(rng, count):
    centers = rng.integers(0, 256, (5, 3))
    labels = rng.integers(0, 5, count).astype(np.uint8)
    colors = centers[labels] + rng.normal(0, 12, (count, 3))
    return colors.round().clip(0, 255).T.astype(np.uint8, 'C'), labels


def _components(colors, labels):
    points = colors.T.astype(np.float64)
    for k in range(5):
        mine = points[labels == k]
        yield (
            len(mine) / len(points),
            multivariate_normal(mine.mean(0), np.cov(mine.T, bias=True)),
        )


def test_cost_is_that_of_a_mixture_of_normal_distributions():
    rng = np.random.default_rng(0)
    colors, labels = _colors(rng, 4000)
    other, _ = _colors(rng, 1500)
    want = sum(
        weight * normal.pdf(other.T) * CONSTANT
        for weight, normal in _components(colors, labels)
    )
    got = cost(other, learn(colors, labels))
    seen = want > 1e-280
    assert seen.sum() > 100
    np.testing.assert_allclose(got[seen], -np.log(want[seen]), rtol=1e-9)


def test_relearn_takes_the_densest_component():
    rng = np.random.default_rng(1)
    colors, labels = _colors(rng, 3000)
    model = learn(colors, labels)
    densities = [
        normal.logpdf(colors.T) for _, normal in _components(colors, labels)
    ]
    best = np.argmax(densities, axis=0).astype(np.uint8)
    assert (best != labels).any()
    parts = colors[:, :700].copy(), colors[:, 700:].copy()
    np.testing.assert_array_equal(relearn(*parts, model), learn(colors, best))


def test_a_component_of_one_color_is_widened():
    colors = np.full((3, 8), 7, np.uint8)
    model = learn(colors, np.zeros(8, np.uint8))
    assert model[0, 10] == pytest.approx(0.01**3)
    assert (model[1:, 0] == 0).all()
    far = np.array([[7, 8, 90]] * 3, np.uint8)
    got = cost(far, model)
    assert got[0] == pytest.approx(0.5 * np.log(0.01**3))
    assert got[1] - got[0] == pytest.approx(0.5 * 3 / 0.01)
    # exp(-0.5 * 3 * 83**2 / 0.01) is 0 in float64: as good as infinite.
    assert got[2] == 1e4
