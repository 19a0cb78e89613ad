"""Keep the files of an image in a folder of labels, or make them again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..boxes import BoxAnnotations
from ..images import ImageError, decode_image, read_image_bytes
from .instance_masks import mask_path
from .store import Record, png_path


def update_image(
    annotations: BoxAnnotations,
    folder: Path,
    done: Record | None,
    hash_inputs: Callable[[bytes], str],
    make: Callable[[np.ndarray, str], Record],
) -> tuple[Record, bool]:
    """Keep the files of an image if they are up to date, or make them.

    If the inputs cannot be read, as on a drive that is not mounted, the files
    stay and the record has an error. If they were read and the files cannot
    be made from them, older files are removed.

    Args:
        annotations: The image and its boxes.
        folder: Holds the PNG, and the instance masks if there are any.
        done: The record of an earlier run, if there is one.
        hash_inputs: From the bytes of the image file to the hash of all
            inputs.
        make: From the image, ``(H, W, 3)`` uint8, BGR, and that hash to the
            record. It writes the files.

    Returns:
        The record, and whether the files were up to date.
    """
    image_id, source = annotations.image_id, annotations.image_path
    path, masks_path = png_path(folder, image_id), mask_path(folder, image_id)
    try:
        data = read_image_bytes(source)
        inputs = hash_inputs(data)
    except (ImageError, OSError) as error:
        old = done or Record(image_id)
        return replace(old, error=_in_words(error, path)), False
    is_same = done is not None and done.inputs == inputs
    if is_same and done.holds(path) and done.holds_masks(masks_path):
        return replace(done, error=None), True
    try:
        image = decode_image(data, source, annotations.size)
        return make(image, inputs), False
    except (ImageError, OSError) as error:
        for old in (path, masks_path):  # had other inputs
            with suppress(OSError):
                old.unlink()
        return Record(image_id, error=_in_words(error, path)), False


def _in_words(error: ImageError | OSError, path: Path) -> str:
    if isinstance(error, ImageError):
        return str(error)
    return f'{error.filename or path}: {error.strerror}'
