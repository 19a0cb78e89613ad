"""Algorithm 1 of the supplement, for one box of one image."""

from collections.abc import Callable

import cv2
import numpy as np

from .exact_grab_cut import ExactGrabCut
from .segment import Box

# A thinner box has no inside to start from and is filled.
MIN_SIDE = 3

# From a box and a seed to what BoxCut returns.
Cut = Callable[[Box, int], tuple[np.ndarray, str | None]]


class BoxCut:
    """Cuts boxes out of one image (supplement, Algorithm 1 [S]).

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        make_grab_cut: Makes the GrabCut of the image, with the interface of
            :class:`ExactGrabCut`; such as a value of ``BACKENDS``.
        iterations: GrabCut iterations.
    """

    def __init__(
        self,
        image: np.ndarray,
        make_grab_cut: Callable[[np.ndarray], Callable[..., np.ndarray]],
        iterations: int,
    ) -> None:
        self._size = image.shape[:2]
        self._grab_cut = make_grab_cut(image)
        self._iterations = iterations

    def __call__(self, box: Box, seed: int) -> tuple[np.ndarray, str | None]:
        """Cut one box of the image, with a seed of OpenCV's generator.

        Returns:
            The box's foreground, ``(h, w)`` bool, and the reason if the whole
            box is filled instead of segmented, or None.
        """
        x1, y1, x2, y2 = box
        if reason := reason_to_fill(box, self._size):
            return np.ones((y2 - y1, x2 - x1), bool), reason
        mask = self._grab_cut(
            _first_mask(self._size, box), self._iterations, seed
        )
        inside = mask[y1:y2, x1:x2]
        foreground = (inside == cv2.GC_FGD) | (inside == cv2.GC_PR_FGD)
        foreground[0] = foreground[:, 0] = False
        return foreground, None


def reason_to_fill(box: Box, size: tuple[int, int]) -> str | None:
    """Why a box of an image of ``(H, W)`` pixels cannot be cut, or None."""
    x1, y1, x2, y2 = box
    if min(y2 - y1, x2 - x1) < MIN_SIDE:
        return f'thinner than {MIN_SIDE} px'
    if (y2 - y1, x2 - x1) == size:
        return 'covers the whole image'
    return None


def _first_mask(size: tuple[int, int], box: Box) -> np.ndarray:
    """The initial mask of Algorithm 1, ``(H, W)`` in OpenCV's codes."""
    x1, y1, x2, y2 = box
    h, w = y2 - y1, x2 - x1
    mask = np.full(size, cv2.GC_BGD, np.uint8)
    inside = mask[y1:y2, x1:x2]
    inside[:] = cv2.GC_PR_BGD
    inside[h // 10 : 9 * h // 10, w // 10 : 9 * w // 10] = cv2.GC_PR_FGD
    inside[h // 4 : 3 * h // 4, w // 4 : 3 * w // 4] = cv2.GC_FGD
    return mask


class _OpenCVGrabCut:
    """The interface of :class:`ExactGrabCut` around ``cv2.grabCut``."""

    def __init__(self, image: np.ndarray) -> None:
        self._image = image

    def __call__(
        self, mask: np.ndarray, iterations: int, seed: int
    ) -> np.ndarray:
        cv2.setRNGSeed(seed)
        mask, _, _ = cv2.grabCut(
            self._image,
            mask,
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        return mask


BACKENDS = {'numba': ExactGrabCut, 'opencv': _OpenCVGrabCut}
