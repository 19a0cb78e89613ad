"""Draw label maps, boxes and heat maps over a photograph.

Photographs and results are ``(H, W, 3)`` uint8, RGB.
"""

from pathlib import Path

import cv2
import matplotlib
import numpy as np

from ..images import decode_image, read_image_bytes
from ..label_maps import voc_palette


def read_photograph(path: str | Path) -> np.ndarray:
    """Read a photograph as labelers and models do.

    Raises:
        ImageError: The file is missing, truncated or corrupt.
    """
    return decode_image(read_image_bytes(path), path, None)[..., ::-1]


def overlay_labels(image: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """Paint classes over a photograph in PASCAL VOC's colours.

    Args:
        image: The photograph.
        label_map: ``(H, W)`` uint8: 0 background, which is not painted,
            class id, 255 ignore.
    """
    colours = voc_palette()[label_map].astype(np.float32)
    share = np.where(label_map == 0, 0.0, 0.65)[..., None]
    return ((1 - share) * image + share * colours).astype(np.uint8)


def overlay_heat(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Blend in a heat map, ``(H, W)`` floats: dark is 0, yellow is 1."""
    colours = matplotlib.colormaps['inferno'](np.clip(heat, 0, 1))[..., :3]
    return (0.3 * image + 0.7 * 255 * colours).astype(np.uint8)


def draw_boxes(
    image: np.ndarray, boxes: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Draw boxes in the colours of their classes.

    Args:
        image: The photograph.
        boxes: ``(K, 4)`` xyxy in pixels, half-open.
        labels: ``(K,)`` class ids.
    """
    result = np.ascontiguousarray(image).copy()
    thickness = max(1, round(max(image.shape[:2]) / 150))
    for box, label in zip(boxes, labels, strict=True):
        x1, y1, x2, y2 = (round(float(v)) for v in box)
        colour = voc_palette()[label].tolist()
        for edge, width in (((255,) * 3, thickness + 2), (colour, thickness)):
            cv2.rectangle(result, (x1, y1), (x2 - 1, y2 - 1), edge, width)
    return result
