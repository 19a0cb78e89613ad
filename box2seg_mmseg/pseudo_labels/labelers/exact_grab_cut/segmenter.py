"""GrabCut for any number of masks of the same image."""

import cv2
import numpy as np

from .color_model import cost, learn, relearn
from .kmeans import cluster, random_state
from .max_flow import MaxFlow
from .pixel_links import (
    UNIT,
    boundary_weights,
    color_weights,
    contrast_scale,
    link_pixels,
)


class ExactGrabCut:
    """``cv2.grabCut`` with ``GC_INIT_WITH_MASK`` and fresh models.

    With the same seed the mask is identical to OpenCV's, except where two
    cuts cost the same up to rounding (OpenCV's of float64, ours to ``UNIT``),
    or where a colour is so improbable under both models that OpenCV computes
    with NaN (here both costs are then equal).

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        boundary: ``(H, W)`` uint8, the probability of an object boundary at
            each pixel, in 255ths. If given, links weaken with it instead of
            with the difference of the colours; see :func:`boundary_weights`.
        boundary_scale: The probability that divides a link's weight by e;
            used with ``boundary``.

    Raises:
        ValueError: The boundary map has another shape or dtype, or the scale
            is not above 0.
    """

    def __init__(
        self,
        image: np.ndarray,
        boundary: np.ndarray | None = None,
        boundary_scale: float | None = None,
    ) -> None:
        self._image = np.ascontiguousarray(image)
        self._colors = np.stack(cv2.split(self._image)).reshape(3, -1)
        if boundary is None:
            self._values = self._image
            self._weights = color_weights(contrast_scale(self._image))
        else:
            if (boundary.shape, boundary.dtype) != (image.shape[:2], np.uint8):
                raise ValueError(
                    'the boundary map must be uint8 in the size of the image, '
                    f'{image.shape[:2]}. Got: {boundary.dtype}, '
                    f'{boundary.shape}'
                )
            self._values = np.ascontiguousarray(boundary)[..., None]
            self._weights = boundary_weights(boundary_scale)

    def __call__(
        self, mask: np.ndarray, iterations: int = 5, seed: int = 0
    ) -> np.ndarray:
        """Cut the image.

        Args:
            mask: ``(H, W)`` uint8 of ``cv2.GC_BGD``, ``GC_FGD``,
                ``GC_PR_BGD`` and ``GC_PR_FGD``; must contain background,
                foreground and probable pixels.
            iterations: Number of iterations, at least 1.
            seed: As for ``cv2.setRNGSeed``.

        Returns:
            ``(H, W)`` uint8, the mask with its probable pixels decided.
        """
        mask = mask.copy()
        state = random_state(seed)
        definite_back, definite_fore = (
            self._colors_where(mask == code)
            for code in (cv2.GC_BGD, cv2.GC_FGD)
        )
        back, fore = (
            learn(colors, cluster(colors, state))
            for colors in (
                self._colors_where(mask % 2 == side) for side in (0, 1)
            )
        )
        is_open = mask >= cv2.GC_PR_BGD
        rows, columns = (
            slice(max(0, where.min() - 1), where.max() + 2)
            for where in (
                np.nonzero(is_open.any(1))[0],
                np.nonzero(is_open.any(0))[0],
            )
        )
        region = mask[rows, columns]  # a view: writing to it changes mask
        is_open = is_open[rows, columns]
        links, pull = link_pixels(
            self._values[rows, columns], region, self._weights
        )
        graph = MaxFlow(links)
        excess = graph.excess[1:-1, 1:-1]
        excess += pull
        open_colors = np.ascontiguousarray(
            self._image[rows, columns][is_open].T
        )
        is_fore = region[is_open] == cv2.GC_PR_FGD
        before = np.zeros(len(is_fore), np.int64)
        for _ in range(iterations):
            others = open_colors.compress(~is_fore, 1)
            back = relearn(definite_back, others, back)
            chosen = open_colors.compress(is_fore, 1)
            fore = relearn(definite_fore, chosen, fore)
            now = cost(open_colors, back) - cost(open_colors, fore)
            now = np.rint(now / UNIT).astype(np.int64)
            excess[is_open] += now - before
            before = now
            is_fore = graph.cut()[1:-1, 1:-1][is_open]
        region[is_open] = np.where(is_fore, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
        return mask

    def _colors_where(self, chosen: np.ndarray) -> np.ndarray:
        """The ``(3, N)`` colours of the chosen pixels; ``(H, W)`` bool."""
        return self._colors.compress(chosen.reshape(-1), 1)
