"""mIoU of a folder of label maps against a folder of masks."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from mmseg.evaluation import IoUMetric
from PIL import Image
from tqdm import tqdm

IGNORE = 255


def evaluate_label_folders(
    label_dir: str | Path,
    mask_dir: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str],
    progress: bool = False,
) -> dict:
    """Compare ``label_dir/<id>.png`` with ``mask_dir/<id>.png``.

    The areas of intersection and union are summed over all images, by mmseg's
    own IoUMetric. Pixels that are 255 in either map are left out; how many of
    the labelled pixels the label maps leave out is told by ``coverage``.

    Args:
        label_dir: Folder of the label maps to judge.
        mask_dir: Folder of the ground-truth masks.
        image_ids: Names of the images, without suffix.
        classes: Names of all classes, background first.
        progress: Show a progress bar on stderr.

    Returns:
        ``mIoU``: mean in percent over the classes that occur in label maps
        or masks; ``IoU``: percent by class name, None for a class that occurs
        in neither; ``coverage``: share in percent of the masks' labelled
        pixels that the label maps label too; ``images``: their number.

    Raises:
        FileNotFoundError: A PNG is missing; the message names it.
        ValueError: Two maps differ in size, or a label is no class.
    """
    num_classes = len(classes)
    totals = torch.zeros(2, num_classes, dtype=torch.float64)
    kept = labelled = num_images = 0
    for image_id in tqdm(list(image_ids), unit='image', disable=not progress):
        label = _read(Path(label_dir) / f'{image_id}.png', num_classes)
        mask = _read(Path(mask_dir) / f'{image_id}.png', num_classes)
        if label.shape != mask.shape:
            raise ValueError(
                f'{image_id}: label map and mask differ in size. '
                f'Got: {label.shape} and {mask.shape}'
            )
        labelled += int((mask != IGNORE).sum())
        mask[label == IGNORE] = IGNORE
        kept += int((mask != IGNORE).sum())
        intersect, union, _, _ = IoUMetric.intersect_and_union(
            torch.from_numpy(label),
            torch.from_numpy(mask),
            num_classes,
            IGNORE,
        )
        totals += torch.stack([intersect, union])
        num_images += 1
    if labelled == 0:
        raise ValueError(f'{mask_dir}: its masks have no labelled pixel')
    iou = (100 * totals[0] / totals[1]).numpy()
    return {
        'mIoU': float(np.nanmean(iou)),
        'IoU': {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(classes, iou, strict=True)
        },
        'coverage': 100 * kept / labelled,
        'images': num_images,
    }


def _read(path: Path, num_classes: int) -> np.ndarray:
    label_map = np.array(Image.open(path))
    if label_map.dtype != np.uint8 or label_map.ndim != 2:
        raise ValueError(
            f'{path}: must be an 8-bit palette or grey PNG of labels. '
            f'Got: {label_map.dtype} {label_map.shape}'
        )
    found = np.unique(label_map[label_map != IGNORE])
    if found.size and found[-1] >= num_classes:
        raise ValueError(
            f'{path}: labels must be below {num_classes} or {IGNORE}. '
            f'Got: {found[-1]}'
        )
    return label_map
