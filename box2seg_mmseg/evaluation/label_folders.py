"""Evaluate a folder of label maps against a folder of masks."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from ..label_maps import read_label_png
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

    Args:
        label_dir: Folder of the label maps to evaluate.
        mask_dir: Folder of the ground-truth masks.
        image_ids: Names of the images, without suffix.
        classes: Names of all classes, background first.
        progress: Show a progress bar on stderr.
        one_class: Merge all foreground classes into one, ``object``.

    Returns:
        See :meth:`LabelAreas.report`.

    Raises:
        FileNotFoundError: A PNG is missing; the message names it.
        ValueError: Two maps differ in size, a label is not a class id, or no
            pixel is labelled.
    """
    num_classes = len(classes)
    total = LabelAreas.nothing(num_classes)
    for image_id in tqdm(list(image_ids), unit='image', disable=not progress):
        label_map, mask = (
            read_label_png(Path(folder) / f'{image_id}.png', num_classes)
            for folder in (label_dir, mask_dir)
        )
        try:
            total += LabelAreas.of(label_map, mask, num_classes)
        except ValueError as error:
            raise ValueError(f'{image_id}: {error}') from None
    if one_class:
        total, classes = total.merged(), ('background', 'object')
    try:
        return total.report(classes)
    except ValueError as error:
        raise ValueError(f'{label_dir}, {mask_dir}: {error}') from None
