"""Photographs, read so that a bad file is told apart from a good one."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .files import PILLOW_ERRORS


class ImageError(ValueError):
    """An image file is missing, broken or of another size."""


class ImageSizeError(ImageError):
    """An image is whole, and not of the size that its annotation says."""


def read_image(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """An image from its file; see :func:`decode_image`."""
    return decode_image(read_image_bytes(path), path, size)


def read_image_bytes(path: str | Path) -> bytes:
    """The content of an image file.

    Raises:
        ImageError: There is none, or it can not be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(
            f'{path}: missing; put it there or take it out of the split'
        ) from None
    except OSError as error:
        raise ImageError(f'{path}: {error.strerror}') from None


def decode_image(
    data: bytes, path: str | Path, size: tuple[int, int] | None
) -> np.ndarray:
    """The image as OpenCV reads it.

    Args:
        data: From :func:`read_image_bytes`.
        path: Where it is from, for messages.
        size: ``(H, W)`` that its annotation says; None for any.

    Returns:
        ``(H, W, 3)`` uint8, BGR.

    Raises:
        ImageError: It is truncated or no image.
        ImageSizeError: It is of another size.
    """
    try:
        # OpenCV fills what a truncated file lacks with grey.
        with Image.open(BytesIO(data)) as image:
            image.load()
    except Image.DecompressionBombError:
        raise ImageError(
            f'{path}: more than {2 * Image.MAX_IMAGE_PIXELS} pixels, which '
            'Pillow takes for an attack; scale it down, and its boxes'
        ) from None
    except PILLOW_ERRORS as error:
        raise ImageError(
            f'{path}: not a whole image; get it anew: {error}'
        ) from None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(
            f'{path}: OpenCV can not read it; convert it to JPEG or PNG'
        )
    if size is not None and image.shape[:2] != tuple(size):
        raise ImageSizeError(
            f'{path}: the image is {image.shape[1]} x {image.shape[0]} px, '
            f'its annotation says {size[1]} x {size[0]}'
        )
    return image


def image_size(path: str | Path) -> tuple[int, int]:
    """The size of an image, without decoding its pixels.

    Args:
        path: The image file.

    Returns:
        ``(H, W)`` in pixels as OpenCV loads it, that is, turned as its EXIF
        orientation says.

    Raises:
        ImageError: The file is missing or not an image.
    """
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            width, height = image.size
    except PILLOW_ERRORS as error:
        raise ImageError(
            f'{path}: missing or not an image; put it there or take it out '
            f'of the split: {type(error).__name__}'
        ) from None
    return (width, height) if turned else (height, width)
