"""Cuts that see less of the photograph, and so take less time: our options.

Each has the call of :class:`BoxCut` and passes a view of the image on to what
``make_cut`` makes of it.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from ...boxes import pixel_boxes
from .segment import Box

# From a box and a seed to what BoxCut returns.
Cut = Callable[[Box, int], tuple[np.ndarray, str | None]]


class WindowCut:
    """Sees a box and a margin around it.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        margin: As a share of the box's width and height.
        make_cut: From a view of the image to a cut.
    """

    def __init__(
        self,
        image: np.ndarray,
        margin: float,
        make_cut: Callable[[np.ndarray], Cut],
    ) -> None:
        self._image = image
        self._margin = margin
        self._make_cut = make_cut

    def __call__(self, box: Box, seed: int) -> tuple[np.ndarray, str | None]:
        """Cut one box; see :class:`BoxCut`."""
        x1, y1, x2, y2 = box
        dx = math.ceil(self._margin * (x2 - x1))
        dy = math.ceil(self._margin * (y2 - y1))
        left, top = max(x1 - dx, 0), max(y1 - dy, 0)
        window = self._image[top : y2 + dy, left : x2 + dx]
        cut = self._make_cut(np.ascontiguousarray(window))
        return cut((x1 - left, y1 - top, x2 - left, y2 - top), seed)


class SmallCut:
    """Sees the image shrunk.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        scale: Share of its width and height, in ``(0, 1]``.
        make_cut: From a view of the image to a cut.
    """

    def __init__(
        self,
        image: np.ndarray,
        scale: float,
        make_cut: Callable[[np.ndarray], Cut],
    ) -> None:
        height, width = image.shape[:2]
        small = cv2.resize(
            image,
            (math.ceil(width * scale), math.ceil(height * scale)),
            interpolation=cv2.INTER_AREA,
        )
        self._size = small.shape[:2]
        self._scale = np.divide(self._size, (height, width))[[1, 0, 1, 0]]
        self._cut = make_cut(small)

    def __call__(self, box: Box, seed: int) -> tuple[np.ndarray, str | None]:
        """Cut one box; see :class:`BoxCut`."""
        (inside,) = pixel_boxes(box * self._scale, self._size).tolist()
        foreground, fallback = self._cut(tuple(inside), seed)
        x1, y1, x2, y2 = box
        enlarged = cv2.resize(
            foreground.astype(np.uint8),
            (x2 - x1, y2 - y1),
            interpolation=cv2.INTER_NEAREST_EXACT,
        )
        return enlarged.astype(bool), fallback
