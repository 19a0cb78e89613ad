"""A dense CRF that sees a box and its surroundings."""

from collections.abc import Callable

import numpy as np

from .segment import Box

# From an image and (C, H, W) probabilities to the (H, W) most probable class.
LabelImage = Callable[[np.ndarray, np.ndarray], np.ndarray]


def label_box(
    label_image: LabelImage,
    image: np.ndarray,
    window: Box,
    box: Box,
    probs: np.ndarray,
) -> np.ndarray:
    """Segment a box; outside it the background is certain (our choice).

    Args:
        label_image: Such as a :class:`DenseCRF`.
        image: ``(H, W, 3)`` uint8, BGR.
        window: What ``label_image`` sees, in whole pixels, xyxy, half-open,
            inside the image.
        box: The same for the box, inside the window.
        probs: ``(h, w)`` floats in ``[0, 1]``, the probability of the
            foreground in the box.

    Returns:
        ``(h, w)`` bool, the foreground.
    """
    left, top, right, bottom = window
    x1, y1, x2, y2 = box
    inside = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
    around = np.zeros((bottom - top, right - left), np.float32)
    around[inside] = probs
    label = label_image(
        image[top:bottom, left:right], np.stack([1 - around, around])
    )
    return label[inside] == 1
