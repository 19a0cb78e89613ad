import numpy as np

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.pixel_links import (
    STEPS_X,
    STEPS_Y,
    UNIT,
    boundary_weights,
    color_weights,
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


def _links(mask, weight):
    """Links and pull, pair by pair."""
    height, width = mask.shape
    links, pull = np.zeros((height + 2, width + 2, 8)), np.zeros(mask.shape)
    for a, b, d in _pairs(height, width):
        if mask[a] < 2:
            continue
        value = 50 / np.hypot(STEPS_Y[d], STEPS_X[d]) * weight(a, b)
        if mask[b] >= 2:
            links[a[0] + 1, a[1] + 1, d] = value
        else:
            pull[a] += value if mask[b] == 1 else -value
    return links, pull


def _assert_rounded(links, pull, want_links, want_pull):
    """Each link is rounded to the next unit; up to eight are summed."""
    assert links.dtype == np.int32
    assert abs(links - want_links / UNIT).max() <= 0.501
    assert abs(pull - want_pull / UNIT).max() <= 8 * 0.501


def test_links_join_open_pixels_and_pull_is_what_the_others_give():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (8, 6, 3), np.uint8)
    mask = rng.integers(0, 4, (8, 6)).astype(np.uint8)
    beta = 1e-5
    links, pull = link_pixels(image, mask, color_weights(beta))
    want_links, want_pull = _links(
        mask, lambda a, b: np.exp(-beta * _square(image, a, b))
    )
    _assert_rounded(links, pull, want_links, want_pull)


def test_a_link_weakens_with_the_stronger_boundary_of_its_pixels():
    rng = np.random.default_rng(2)
    boundary = rng.integers(0, 256, (7, 8), np.uint8)
    mask = rng.integers(0, 4, (7, 8)).astype(np.uint8)
    links, pull = link_pixels(boundary[..., None], mask, boundary_weights(0.2))
    want_links, want_pull = _links(
        mask,
        lambda a, b: np.exp(max(boundary[a], boundary[b]) / (-255 * 0.2)),
    )
    _assert_rounded(links, pull, want_links, want_pull)
