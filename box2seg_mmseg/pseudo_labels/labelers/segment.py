"""The segment of one box, and how the boxes of an image are painted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...label_maps import IGNORE

Box = tuple[int, int, int, int]  # whole pixels, xyxy, half-open


@dataclass(frozen=True, eq=False)
class Segment:
    """The segment of one box.

    Args:
        values: ``(h, w)`` uint8, the size of the box: 0 background,
            1 foreground, 255 ignore.
        fallback: Why the box was filled instead of segmented, or None.
        agreement: Mean IoU of the segment with those of perturbed boxes, in
            ``[0, 1]``; None if there were none.
    """

    values: np.ndarray
    fallback: str | None = None
    agreement: float | None = None

    @property
    def filling_rate(self) -> float:
        """Share of the box's pixels that are foreground, in ``[0, 1]``."""
        return float((self.values == 1).mean())


def paint_segments(
    size: tuple[int, int],
    boxes: np.ndarray,
    labels: np.ndarray,
    segments: Sequence[Segment],
) -> np.ndarray:
    """Paint the segments of an image, the larger boxes first.

    A smaller box wins where two overlap (supplement, Algorithm 1 [S]); equal
    areas keep their order.

    Args:
        size: ``(H, W)`` of the image in pixels.
        boxes: ``(K, 4)`` int64 xyxy, half-open, inside the image.
        labels: ``(K,)`` integers in ``1..254``.
        segments: One per box.

    Returns:
        ``(H, W)`` uint8: 0 background, class id, 255 ignore.
    """
    label_map = np.zeros(size, np.uint8)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for i in np.argsort(-areas, kind='stable'):
        x1, y1, x2, y2 = boxes[i]
        inside, values = label_map[y1:y2, x1:x2], segments[i].values
        inside[values == 1] = labels[i]
        inside[values == IGNORE] = IGNORE
    return label_map
