import numpy as np

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.pixel_links import (
    STEPS_X,
    STEPS_Y,
    contrast_scale,
    link_pixels,
)


def _pairs(height, width):
    for y in range(height):
        for x in range(width):
            for d, (dy, dx) in enumerate(zip(STEPS_Y, STEPS_X, strict=True)):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    yield (y, x), (y + dy, x + dx), d


def _square(image, a, b):
    return ((image[a].astype(float) - image[b]) ** 2).sum()


def test_beta_is_half_the_inverse_of_the_mean_squared_difference():
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    squares = [_square(image, a, b) for a, b, _ in _pairs(7, 9)]
    assert np.isclose(contrast_scale(image), 1 / (2 * np.mean(squares)))
    assert contrast_scale(np.full((4, 4, 3), 9, np.uint8)) == 0


def test_links_join_open_pixels_and_pull_is_what_the_others_give():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (8, 6, 3), np.uint8)
    mask = rng.integers(0, 4, (8, 6)).astype(np.uint8)
    beta = 1e-5
    links, pull = link_pixels(image, mask, beta)
    want_links, want_pull = np.zeros((10, 8, 8)), np.zeros((8, 6))
    for a, b, d in _pairs(8, 6):
        if mask[a] < 2:
            continue
        length = np.hypot(STEPS_Y[d], STEPS_X[d])
        weight = 50 / length * np.exp(-beta * _square(image, a, b))
        if mask[b] >= 2:
            want_links[a[0] + 1, a[1] + 1, d] = weight
        else:
            want_pull[a] += weight if mask[b] == 1 else -weight
    np.testing.assert_allclose(links, want_links, rtol=1e-12)
    np.testing.assert_allclose(pull, want_pull, rtol=1e-12, atol=1e-12)
