"""Reading of photographs, with an error for each kind of bad file."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from .files import PILLOW_ERRORS


class ImageError(ValueError):
    """An image file is missing, corrupt or of another size."""


class ImageSizeError(ImageError):
    """An intact image does not have the size that its annotation says."""


def read_image(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """Read an image file; see :func:`decode_image`."""
    return decode_image(read_image_bytes(path), path, size)


def read_image_bytes(path: str | Path) -> bytes:
    """Read an image file; an ImageError if it is missing or unreadable."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(
            f'{path}: missing; add it or remove it from the split'
        ) from None
    except OSError as error:
        raise ImageError(f'{path}: {error.strerror}') from None


def decode_image(
    data: bytes, path: str | Path, size: tuple[int, int] | None
) -> np.ndarray:
    """Decode an image as OpenCV does.

    Args:
        data: From :func:`read_image_bytes`.
        path: Path of its file, for messages.
        size: ``(H, W)`` from its annotation; None accepts any size.

    Returns:
        ``(H, W, 3)`` uint8, BGR.

    Raises:
        ImageError: It is truncated, corrupt or not an image.
        ImageSizeError: It has another size.
    """
    try:
        # OpenCV fills the missing part of a truncated file with grey.
        with Image.open(BytesIO(data)) as image:
            image.load()
    except Image.DecompressionBombError:
        raise ImageError(
            f'{path}: more than {2 * Image.MAX_IMAGE_PIXELS} pixels, which '
            'Pillow refuses as a possible attack; scale the image and its '
            'boxes down'
        ) from None
    except UnidentifiedImageError:
        raise ImageError(f'{path}: not an image file; replace it') from None
    except PILLOW_ERRORS as error:
        raise ImageError(
            f'{path}: truncated or corrupt image; replace it: {error}'
        ) from None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(
            f'{path}: OpenCV cannot read it; convert it to JPEG or PNG'
        )
    if size is not None and image.shape[:2] != tuple(size):
        raise ImageSizeError(
            f'{path}: the image is {image.shape[1]} x {image.shape[0]} px, '
            f'its annotation says {size[1]} x {size[0]}'
        )
    return image


def image_size(path: str | Path) -> tuple[int, int]:
    """The size of an image, without decoding its pixels.

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
            if image.format == 'TIFF':  # some Pillows have turned its size
                width, height = (image.tag_v2[tag] for tag in (256, 257))
    except PILLOW_ERRORS as error:
        raise ImageError(
            f'{path}: missing or not an image; put it there or take it out '
            f'of the split: {type(error).__name__}'
        ) from None
    return (width, height) if turned else (height, width)
