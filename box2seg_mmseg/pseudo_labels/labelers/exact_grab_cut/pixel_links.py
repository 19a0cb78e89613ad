"""The links between neighbouring pixels, which keep segments compact."""

import math

import numpy as np

from .compiled import compiled

GAMMA = 50.0  # OpenCV's, as in the GrabCut paper.
# Costs are counted in whole units of 2**-24, so that sums of them are exact;
# the two capacities of a link, 2 * GAMMA, just fit an int32. Rounding a link
# by half a unit, 3e-8, changes a cut only where two cost the same up to that.
UNIT = 2.0**-24

# To the right, down, down right and down left; each with its opposite.
STEPS_Y = np.array([0, 0, 1, -1, 1, -1, 1, -1])
STEPS_X = np.array([1, -1, 0, 0, 1, -1, -1, 1])
DEFINITE_FOREGROUND, OPEN = 1, 2  # in OpenCV's codes; 2 and 3 are open


@compiled
def contrast_scale(image: np.ndarray) -> float:
    """One over twice the mean squared difference of neighbouring pixels.

    Args:
        image: ``(H, W, 3)`` uint8.

    Returns:
        beta of the GrabCut paper; 0 for an image of one colour.
    """
    height, width = image.shape[:2]
    total = 0
    for y in range(height):
        for x in range(width):
            for d in range(0, 8, 2):
                v, u = y + STEPS_Y[d], x + STEPS_X[d]
                if v < height and 0 <= u < width:
                    total += _squared_difference(image, y, x, v, u)
    if total == 0:
        return 0.0
    pairs = 4 * width * height - 3 * width - 3 * height + 2
    return 1.0 / (2 * total / pairs)


def color_weights(beta: float) -> np.ndarray:
    """The weight of a link by the squared difference of its two colours.

    Args:
        beta: From :func:`contrast_scale`.

    Returns:
        ``(2, 195076)`` int32 in units: row 0 for links to the right and down,
        row 1 for diagonal ones.
    """
    weights = np.zeros(3 * 255**2 + 1)
    # exp(-25) * GAMMA is less than half a unit.
    seen = len(weights) if beta == 0 else math.ceil(25 / beta)
    weights[:seen] = np.exp(-beta * np.arange(min(seen, len(weights))))
    return _in_units(weights)


def boundary_weights(scale: float) -> np.ndarray:
    """The weight of a link by the boundary strength it crosses.

    In place of the contrast, as GrabCut+ does (Khoreva et al., "Simple Does
    It", CVPR 2017, which takes the boundaries of HED); the function is our
    choice: ``GAMMA * exp(-b / scale)`` for a probability ``b``.

    Args:
        scale: The probability of a boundary that divides the weight by e.

    Returns:
        ``(2, 256)`` int32, as from :func:`color_weights`.

    Raises:
        ValueError: The scale is not above 0.
    """
    if not scale > 0:
        raise ValueError(f'the boundary scale must be > 0. Got: {scale}')
    return _in_units(np.exp(np.arange(256) / (-255 * scale)))


def _in_units(weights: np.ndarray) -> np.ndarray:
    straight = GAMMA / UNIT * weights
    both = np.stack([straight, straight / math.sqrt(2)])
    return np.rint(both).astype(np.int32)


@compiled
def link_pixels(
    values: np.ndarray, mask: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The weights of all links that have an open pixel at an end.

    Args:
        values: ``(H, W, 3)`` uint8, the image, or ``(H, W, 1)`` uint8, the
            probability of a boundary at each pixel in 255ths.
        mask: ``(H, W)`` uint8 in OpenCV's codes.
        weights: From :func:`color_weights` or :func:`boundary_weights`.

    Returns:
        The links between two open pixels by the direction from the first,
        ``(H + 2, W + 2, 8)`` int32 with a border of one pixel; and for each
        open pixel the sum of its links to definite foreground minus that to
        definite background, ``(H, W)`` int64. Both in units.
    """
    height, width = mask.shape
    links = np.zeros((height + 2, width + 2, 8), np.int32)
    pull = np.zeros((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            if mask[y, x] < OPEN:
                continue
            for d in range(8):
                v, u = y + STEPS_Y[d], x + STEPS_X[d]
                if not (0 <= v < height and 0 <= u < width):
                    continue
                both_open = mask[v, u] >= OPEN
                if both_open and d % 2:
                    continue  # added from its other end
                if values.shape[2] == 1:
                    step = np.int64(max(values[y, x, 0], values[v, u, 0]))
                else:
                    step = _squared_difference(values, y, x, v, u)
                weight = weights[d // 4, step]
                if both_open:
                    links[y + 1, x + 1, d] = weight
                    links[v + 1, u + 1, d + 1] = weight
                elif mask[v, u] == DEFINITE_FOREGROUND:
                    pull[y, x] += weight
                else:
                    pull[y, x] -= weight
    return links, pull


@compiled
def _squared_difference(
    image: np.ndarray, y: int, x: int, v: int, u: int
) -> int:
    total = 0
    for c in range(3):
        step = np.int64(image[y, x, c]) - np.int64(image[v, u, c])
        total += step * step
    return total
