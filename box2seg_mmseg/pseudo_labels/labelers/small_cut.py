"""Cuts on a shrunken photograph, which take less time: our option."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from ...boxes import pixel_boxes
from .box_cut import Cut
from .segment import Box


class SmallCut:
    """Cuts boxes out of one image that is shrunk first.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        scale: Share of its width and height, in ``(0, 1]``.
        make_cut: Makes the cut of the small image, such as ``BoxCut``.
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
