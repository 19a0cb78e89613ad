"""mIoU of a folder of label maps against a folder of masks."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..pseudo_labels import IGNORE, read_label_png
from .label_areas import LabelAreas


def evaluate_label_folders(
    label_dir: str | Path,
    mask_dir: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str],
    progress: bool = False,
    one_class: bool = False,
) -> dict:
    """Compare ``label_dir/<id>.png`` with ``mask_dir/<id>.png``.

    The areas of intersection and union are summed over all images.

    Args:
        label_dir: Folder of the label maps to judge.
        mask_dir: Folder of the ground-truth masks.
        image_ids: Names of the images, without suffix.
        classes: Names of all classes, background first.
        progress: Show a progress bar on stderr.
        one_class: Take all classes but the background as one, ``object``, in
            label maps and masks, before anything is compared.

    Returns:
        See :meth:`LabelAreas.report`.

    Raises:
        FileNotFoundError: A PNG is missing; the message names it.
        ValueError: Two maps differ in size, a label is no class, or no pixel
            is labelled.
    """
    num_classes = len(classes)
    if one_class:
        classes = ('background', 'object')
    total = LabelAreas.nothing(len(classes))
    for image_id in tqdm(list(image_ids), unit='image', disable=not progress):
        maps = [
            read_label_png(Path(folder) / f'{image_id}.png', num_classes)
            for folder in (label_dir, mask_dir)
        ]
        if one_class:
            maps = [np.where(one == IGNORE, one, one > 0) for one in maps]
        try:
            total += LabelAreas.of(*maps, len(classes))
        except ValueError as error:
            raise ValueError(f'{image_id}: {error}') from None
    try:
        return total.report(classes)
    except ValueError as error:
        raise ValueError(f'{label_dir}, {mask_dir}: {error}') from None
