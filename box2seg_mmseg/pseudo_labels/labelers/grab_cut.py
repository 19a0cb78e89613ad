"""Algorithm 1 of the supplement: GrabCut in each box."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ...label_maps import IGNORE
from ...option import Option
from .box_cut import BACKENDS, BoxCut, Cut
from .builder import LABELERS
from .pseudo_labeler import PseudoLabeler
from .segment import Box, Segment
from .small_cut import SmallCut
from .stability import NUM_PERTURBATIONS, agreement, perturbed_boxes


@LABELERS.register_module()
class GrabCut(PseudoLabeler):
    """Segments each box with GrabCut (supplement, Algorithm 1 [S]).

    Within a box, the rim is probable background, the inner 80 % probable
    foreground and the central half definite foreground; everything outside
    is definite background. The first row and column of the box are cleared
    after the cut, as the algorithm does (its lines ``y + h`` and ``x + w``
    lie outside the box, which is background already).

    A box narrower or lower than 3 pixels, of which the clearing would leave
    nothing, and a box that covers the whole image, whose rim would be the
    only background, are filled instead (our choice).

    Args:
        iterations: GrabCut iterations; 5 in the paper [S].
        seed: Seed of OpenCV's random generator, set before each cut, so that
            the result depends on neither order nor thread (our choice).
        backend: ``'numba'``, which gives OpenCV's mask in a fraction of its
            time and compiles once per machine (15 s), or ``'opencv'``, the
            reference: ``cv2.grabCut`` itself.
        scale: The photograph is shrunk to this share of its width and height
            before the cuts, in ``(0, 1]``; this costs accuracy (our option).
        ignore_unstable: A pixel of a box is ignored where less than this
            share of the cuts of perturbed boxes agree with the box's own
            cut, in ``[0, 1]``; 0 ignores none (our option; see
            ``stability.py``).
        perturbations: Number of perturbed boxes per box, each cut with a seed
            of its own, with which the segment is compared. None means 8 with
            ``ignore_unstable`` and 0 without.

    Raises:
        ValueError: An argument is out of range, or ``backend`` is unknown.
    """

    method = 'grabcut'
    options = (
        Option('iterations', int, 'iterations of GrabCut (default: 5)'),
        Option('seed', int, 'seed of its random numbers (default: 0)'),
        Option(
            'backend',
            str,
            'numba or opencv: numba, compiled once per machine, gives the '
            'masks of OpenCV in a fraction of the time (default: numba)',
        ),
        Option(
            'scale',
            float,
            'shrink the photographs to this share of their width and height: '
            'faster and less accurate (default: 1)',
        ),
        Option(
            'ignore_unstable',
            float,
            'label a pixel of a box 255 where less than this share of the '
            'cuts of perturbed boxes agree (default: 0, no pixel)',
        ),
        Option(
            'perturbations',
            int,
            'cut this many perturbed boxes per box and record the agreement '
            f'(default: {NUM_PERTURBATIONS} with --ignore-unstable, else 0)',
        ),
    )

    def __init__(
        self,
        iterations: int = 5,
        seed: int = 0,
        backend: str = 'numba',
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
        self.scale = scale
        self.ignore_unstable = ignore_unstable
        self.perturbations = perturbations

    def segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        """See the base class."""
        make_cut = partial(
            BoxCut,
            make_grab_cut=BACKENDS[self.backend],
            iterations=self.iterations,
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
