"""Objects without a box: where a network sees an object outside all boxes."""

import math

import cv2
import numpy as np

from ..boxes import BoxAnnotations, grow_box, pixel_boxes
from .finding import Finding

# All numbers are our choice; docs/box_audit.md shows what was tried.
_THRESHOLD = 0.5  # probability above which a pixel belongs to a region
_MARGIN = 0.05  # of a box, in which its own object may still be seen
_LEAST_AREA = 5e-4  # of the image


def missing_objects(
    annotations: BoxAnnotations, foreground: np.ndarray
) -> list[Finding]:
    """The regions outside all boxes in which a network sees an object.

    The score is the mean probability in the region times the square root of
    its share of the image (our choice).

    Args:
        annotations: The boxes of an image.
        foreground: ``(H, W)`` float32, the probability of any object.
    """
    size = annotations.size
    seen = foreground > _THRESHOLD
    for box in pixel_boxes(annotations.boxes, size).tolist():
        x1, y1, x2, y2 = grow_box(tuple(box), _MARGIN, size)
        seen[y1:y2, x1:x2] = False
    num, regions, stats, _ = cv2.connectedComponentsWithStats(
        seen.astype(np.uint8)
    )
    total = np.bincount(regions.ravel(), foreground.ravel(), num)
    found = []
    for region in range(1, num):
        x, y, width, height, area = stats[region].tolist()
        share = area / foreground.size
        if share < _LEAST_AREA:
            continue
        mean = float(total[region]) / area
        finding = Finding(
            'missing',
            min(mean * math.sqrt(share), 1),
            f'The network sees an object here, {mean:.0%} sure, on '
            f'{share:.1%} of the image',
            annotations.image_id,
            (x, y, x + width, y + height),
        )
        found.append(finding)
    return found
