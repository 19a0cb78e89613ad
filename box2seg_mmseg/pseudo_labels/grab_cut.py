"""Algorithm 1 of the supplement: GrabCut in each box."""

import cv2
import numpy as np

from .exact_grab_cut import ExactGrabCut
from .pseudo_label import Box, PseudoLabeler, Segmenter


class GrabCut(PseudoLabeler):
    """Segments each box with GrabCut (supplement, Algorithm 1 [S]).

    In a box, the rim is probable background, the inner 80 % probable
    foreground and the central half definite foreground; everything outside
    is definite background. The first row and column of the box are cleared
    after the cut, as the algorithm does (its lines ``y + h`` and ``x + w``
    lie outside the box, which is background already).

    A box of less than 3 pixels' width or height, of which the clearing would
    leave nothing, and a box that covers the whole image, whose rim would be
    the only background, are filled instead (our choice).

    Args:
        iterations: GrabCut iterations; 5 in the paper [S].
        seed: Seed of OpenCV's random generator, set before each cut, so that
            the result depends on neither order nor thread (our choice).
        backend: ``'numba'``, which gives OpenCV's mask in a fraction of its
            time and compiles once on a machine (15 s), or ``'opencv'``, the
            reference: ``cv2.grabCut`` itself.

    Raises:
        ValueError: ``iterations`` is below 1, or ``backend`` unknown.
    """

    def __init__(
        self, iterations: int = 5, seed: int = 0, backend: str = 'numba'
    ) -> None:
        if iterations < 1:
            raise ValueError(f'iterations must be >= 1. Got: {iterations}')
        if backend not in BACKENDS:
            raise ValueError(
                f'backend must be one of {", ".join(BACKENDS)}. '
                f'Got: {backend!r}'
            )
        self.iterations = iterations
        self.seed = seed
        self.backend = backend

    def _segmenter(self, image: np.ndarray) -> Segmenter:
        cut = BACKENDS[self.backend](image)

        def segment(box: Box) -> tuple[np.ndarray, str | None]:
            x1, y1, x2, y2 = box
            h, w = y2 - y1, x2 - x1
            if min(h, w) < 3:
                return np.ones((h, w), bool), 'thinner than 3 px'
            if (h, w) == image.shape[:2]:
                return np.ones((h, w), bool), 'covers the whole image'
            mask = cut(_first_mask(image, box), self.iterations, self.seed)
            inside = mask[y1:y2, x1:x2]
            foreground = (inside == cv2.GC_FGD) | (inside == cv2.GC_PR_FGD)
            foreground[0] = foreground[:, 0] = False
            return foreground, None

        return segment


def _first_mask(image: np.ndarray, box: Box) -> np.ndarray:
    """The mask that Algorithm 1 starts from, ``(H, W)`` in OpenCV's codes."""
    x1, y1, x2, y2 = box
    h, w = y2 - y1, x2 - x1
    mask = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    inside = mask[y1:y2, x1:x2]
    inside[:] = cv2.GC_PR_BGD
    inside[h // 10 : 9 * h // 10, w // 10 : 9 * w // 10] = cv2.GC_PR_FGD
    inside[h // 4 : 3 * h // 4, w // 4 : 3 * w // 4] = cv2.GC_FGD
    return mask


class _OpenCVGrabCut:
    """:class:`ExactGrabCut`'s interface over the original."""

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
