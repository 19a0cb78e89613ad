"""Label maps as palette PNGs, the way PASCAL VOC stores its masks."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from .files import PILLOW_ERRORS, replacing

IGNORE = 255
"""The label of pixels that no loss and no metric counts."""


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
        path: Where the PNG goes; its folder is made if absent.
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
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(png.getvalue())
    return png.getvalue()


def read_label_png(path: str | Path, num_classes: int) -> np.ndarray:
    """Read a label map or a ground-truth mask.

    Args:
        path: An 8-bit palette or grey PNG.
        num_classes: Labels are below it, or 255.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is broken or another kind of image, or a label is no
            class.
    """
    try:
        label_map = np.array(Image.open(path))
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path}: missing; put it there or take it out of the split'
        ) from None
    except PILLOW_ERRORS as error:
        raise ValueError(f'{path}: not a whole PNG: {error}') from None
    if label_map.dtype != np.uint8 or label_map.ndim != 2:
        raise ValueError(
            f'{path}: must be an 8-bit palette or grey PNG of labels. '
            f'Got: {label_map.dtype} {label_map.shape}'
        )
    highest = label_map[label_map != IGNORE].max(initial=0)
    if highest >= num_classes:
        raise ValueError(
            f'{path}: labels must be below {num_classes} or {IGNORE}. '
            f'Got: {highest}'
        )
    return label_map
