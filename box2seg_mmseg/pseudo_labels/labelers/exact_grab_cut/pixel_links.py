"""The links between neighbouring pixels, which keep segments compact."""

import math

import numpy as np

from .compiled import compiled

GAMMA = 50.0  # OpenCV's, as in the GrabCut paper.

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


@compiled
def link_pixels(
    image: np.ndarray, mask: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """The weights of all links that have an open pixel at an end.

    Args:
        image: ``(H, W, 3)`` uint8.
        mask: ``(H, W)`` uint8 in OpenCV's codes.
        beta: From :func:`contrast_scale`.

    Returns:
        The links between two open pixels by the direction from the first,
        ``(H + 2, W + 2, 8)`` float64 with a border of one pixel; and for each
        open pixel the sum of its links to definite foreground minus that to
        definite background, ``(H, W)`` float64.
    """
    height, width = mask.shape
    links = np.zeros((height + 2, width + 2, 8))
    pull = np.zeros((height, width))
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
                weight = GAMMA * math.exp(
                    -beta * _squared_difference(image, y, x, v, u)
                )
                if d >= 4:
                    weight /= math.sqrt(2.0)
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
