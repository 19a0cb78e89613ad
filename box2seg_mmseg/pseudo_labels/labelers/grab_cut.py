"""Algorithm 1 of the supplement: GrabCut in each box."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ...label_maps import IGNORE
from .box_cut import BACKENDS, BoxCut
from .pseudo_labeler import PseudoLabeler
from .segment import Box, Segment
from .small_cut import Cut, SmallCut, WindowCut
from .stability import NUM_PERTURBATIONS, agreement, perturbed_boxes


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
        margin: How much of the photograph a cut sees around its box, as a
            share of the box's width and height; None is all of it, as in the
            paper (our option).
        scale: The photograph is shrunk to this share of its width and height
            before the cuts, in ``(0, 1]``; it costs accuracy (our option).
        ignore_unstable: A pixel of a box is ignored where less than this
            share of the cuts of perturbed boxes agree with the box's own, in
            ``[0, 1]``; 0 ignores none (our option; see ``stability.py``).
        perturbations: Cuts of perturbed boxes and seeds a box, which tell
            its segment's agreement with them. None means 8 where
            ``ignore_unstable`` is set and else none.

    Raises:
        ValueError: An argument is out of its range, or ``backend`` unknown.
    """

    def __init__(
        self,
        iterations: int = 5,
        seed: int = 0,
        backend: str = 'numba',
        margin: float | None = None,
        scale: float = 1.0,
        ignore_unstable: float = 0.0,
        perturbations: int | None = None,
    ) -> None:
        if iterations < 1:
            raise ValueError(f'iterations must be >= 1. Got: {iterations}')
        if backend not in BACKENDS:
            raise ValueError(
                f'backend must be one of {", ".join(BACKENDS)}. '
                f'Got: {backend!r}'
            )
        if margin is not None and not 0 < margin < math.inf:
            raise ValueError(f'margin must be > 0 or None. Got: {margin}')
        if not 0 < scale <= 1:
            raise ValueError(f'scale must be in (0, 1]. Got: {scale}')
        if not 0 <= ignore_unstable <= 1:
            raise ValueError(
                f'ignore_unstable must be in [0, 1]. Got: {ignore_unstable}'
            )
        if perturbations is None:
            perturbations = NUM_PERTURBATIONS if ignore_unstable else 0
        if perturbations < (1 if ignore_unstable else 0):
            raise ValueError(
                'perturbations must be >= 0, and >= 1 with ignore_unstable. '
                f'Got: {perturbations}'
            )
        # Each perturbed box is cut with a seed of its own.
        if not -(2**31) <= seed < 2**31 - perturbations:
            raise ValueError(
                f'seed must be in -2**31..2**31 - {perturbations + 1}. '
                f'Got: {seed}'
            )
        self.iterations = iterations
        self.seed = seed
        self.backend = backend
        self.margin = margin
        self.scale = scale
        self.ignore_unstable = ignore_unstable
        self.perturbations = perturbations

    def _segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        make_cut = partial(
            BoxCut, backend=self.backend, iterations=self.iterations
        )
        if self.margin is not None:
            make_cut = partial(
                WindowCut, margin=self.margin, make_cut=make_cut
            )
        if self.scale < 1:
            make_cut = partial(SmallCut, scale=self.scale, make_cut=make_cut)
        cut = make_cut(image)
        size = image.shape[:2]
        return lambda box: self._segment(cut, box, size)

    def _segment(self, cut: Cut, box: Box, size: tuple[int, int]) -> Segment:
        foreground, fallback = cut(box, self.seed)
        values = foreground.astype(np.uint8)
        if not self.perturbations:
            return Segment(values, fallback)
        boxes = perturbed_boxes(box, size, self.perturbations, self.seed)
        others = [
            (other, cut(other, self.seed + i)[0])
            for i, other in enumerate(boxes, start=1)
        ]
        share, mean_iou = agreement(box, foreground, others)
        values[share < self.ignore_unstable] = IGNORE
        return Segment(values, fallback, mean_iou)
