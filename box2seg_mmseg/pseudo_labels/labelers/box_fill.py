"""Labels from the boxes alone: the baselines Box and Box^i."""

import math
from collections.abc import Callable

import numpy as np

from ...label_maps import IGNORE
from ...option import Option
from .builder import LABELERS
from .pseudo_labeler import PseudoLabeler
from .segment import Box, Segment


@LABELERS.register_module()
class BoxFill(PseudoLabeler):
    """Fills each box with its class: the paper's Box baseline [S].

    With ``inner=0.2`` it is Box^i of Khoreva et al., "Simple Does It",
    CVPR 2017: the inner 20 % of a box's area, in its shape, are foreground
    and the rest of the box is ignored.

    Args:
        inner: Share of the box's area that is foreground, in ``(0, 1]``; 1
            fills the box.

    Raises:
        ValueError: ``inner`` is out of range.
    """

    method = 'box_fill'
    options = (
        Option(
            'inner',
            float,
            'fill this share of the area of a box and ignore the rest; 0.2 '
            'is Box^i (default: 1, the whole box)',
        ),
    )

    def __init__(self, inner: float = 1.0) -> None:
        if not 0 < inner <= 1:
            raise ValueError(f'inner must be in (0, 1]. Got: {inner}')
        self.inner = inner

    def segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        """See the base class; the image does not matter."""
        return self._fill

    def _fill(self, box: Box) -> Segment:
        x1, y1, x2, y2 = box
        size = y2 - y1, x2 - x1
        h, w = (max(1, round(side * math.sqrt(self.inner))) for side in size)
        top, left = (size[0] - h) // 2, (size[1] - w) // 2
        values = np.full(size, IGNORE, np.uint8)
        values[top : top + h, left : left + w] = 1
        return Segment(values)
