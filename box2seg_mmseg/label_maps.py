"""Label maps as palette PNGs, as PASCAL VOC stores its masks."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from .files import PILLOW_ERRORS, replacing

IGNORE = 255
"""The label of pixels that losses and metrics leave out."""


def voc_palette() -> np.ndarray:
    """PASCAL VOC's colour map: the label's bits, spread over R, G and B.

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
    """Write a label map as a palette PNG, completely or not at all.

    Args:
        path: Path of the PNG; its folder is created if it does not exist.
        label_map: ``(H, W)`` uint8.

    Returns:
        The bytes of the PNG.

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


def mask_of_label(label_map: np.ndarray, label: int) -> np.ndarray:
    """One label against all others: uint8, 1 or 0; 255 stays 255."""
    mask = (label_map == label).astype(np.uint8)
    mask[label_map == IGNORE] = IGNORE
    return mask


def read_label_png(path: str | Path, num_classes: int) -> np.ndarray:
    """Read a label map or a ground-truth mask.

    Args:
        path: An 8-bit palette or grey PNG.
        num_classes: Number of classes; labels must be below it, or 255.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is corrupt or another kind of image, or has a label
            that is not a class.
    """
    try:
        label_map = np.array(Image.open(path))
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path}: missing; add it, or remove its image from the split'
        ) from None
    except PermissionError:
        raise
    except PILLOW_ERRORS:
        raise ValueError(
            f'{path}: truncated or corrupt PNG; replace it'
        ) from None
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
