"""How stable a segment is when its box and seed change a little.

The idea is the ensemble over jittered boxes of Khoreva et al., "Simple Does
It", CVPR 2017 (GrabCut+i there); numbers and thresholds are our choice.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .segment import Box

NUM_PERTURBATIONS = 8
_JITTER = 0.05  # largest move of a side, as a share of width or height


def perturbed_boxes(
    box: Box, size: tuple[int, int], count: int, seed: int
) -> Iterator[Box]:
    """Move the sides of a box by up to 5 % of its width and height.

    Args:
        box: Inside the image.
        size: ``(H, W)`` of the image in pixels.
        count: Number of boxes.
        seed: The same box and seed give the same boxes.

    Yields:
        Boxes inside the image, at least one pixel wide and high.
    """
    rng = np.random.default_rng([seed % 2**32, *box])
    corners = np.reshape(box, (2, 2))
    side, limit = corners[1] - corners[0], np.array(size[::-1])
    for _ in range(count):
        moves = rng.uniform(-_JITTER, _JITTER, (2, 2)) * side
        first, last = np.rint(corners + moves).astype(int)
        first = np.clip(first, 0, limit - 1)
        last = np.clip(last, first + 1, limit)
        yield (*first.tolist(), *last.tolist())


def agreement(
    box: Box, foreground: np.ndarray, others: Sequence[tuple[Box, np.ndarray]]
) -> tuple[np.ndarray, float]:
    """Compare a segment with those of perturbed boxes.

    Args:
        box: The box.
        foreground: ``(h, w)`` bool, its segment.
        others: At least one perturbed box and its segment.

    Returns:
        ``(h, w)`` float64, for each pixel the share of the others that agree
        with the segment, and the mean IoU with them; both in ``[0, 1]``.
    """
    x1, y1, x2, y2 = box
    same = np.zeros(foreground.shape)
    ious = []
    for (left, top, right, bottom), other in others:
        seen = np.zeros_like(foreground)
        u1, v1 = max(x1, left), max(y1, top)
        u2, v2 = max(u1, min(x2, right)), max(v1, min(y2, bottom))
        seen[v1 - y1 : v2 - y1, u1 - x1 : u2 - x1] = other[
            v1 - top : v2 - top, u1 - left : u2 - left
        ]
        same += seen == foreground
        both = np.count_nonzero(seen & foreground)
        either = np.count_nonzero(foreground) + np.count_nonzero(other) - both
        ious.append(both / either if either else 1.0)
    return same / len(others), float(np.mean(ious))
