"""Label maps as palette PNGs, the way PASCAL VOC stores its masks."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ..files import replacing


def voc_palette() -> np.ndarray:
    """PASCAL VOC's colour map: the bits of the label, spread over R, G, B.

    Returns:
        ``(256, 3)`` uint8, RGB; entry 255 is VOC's light border colour.
    """
    labels = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            value = (labels >> (3 * bit + channel)) & 1
            palette[:, channel] |= (value << (7 - bit)).astype(np.uint8)
    return palette


def write_label_png(path: str | Path, label_map: np.ndarray) -> bytes:
    """Write a label map as a palette PNG, whole or not at all.

    Args:
        path: Where the PNG goes; its folder must exist.
        label_map: ``(H, W)`` uint8.

    Returns:
        What was written.

    Raises:
        ValueError: ``label_map`` is not a uint8 map.
    """
    if label_map.dtype != np.uint8 or label_map.ndim != 2:
        raise ValueError(
            'label_map must be uint8 of shape (H, W). '
            f'Got: {label_map.dtype} {label_map.shape}'
        )
    image = Image.fromarray(label_map)
    image.putpalette(voc_palette().tobytes())
    png = BytesIO()
    image.save(png, format='PNG')
    with replacing(path) as part:
        part.write_bytes(png.getvalue())
    return png.getvalue()
