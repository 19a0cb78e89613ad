"""Pseudo labels with one kind of error corrected, to see what it costs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from box2seg_mmseg.label_maps import IGNORE, read_label_png, write_label_png


def write_corrected_labels(
    image_ids: Sequence[str],
    label_dir: str | Path,
    mask_dir: str | Path,
    out_dir: str | Path,
    missed: bool,
    num_classes: int = 21,
) -> None:
    """Copy pseudo labels, corrected by the masks; see :func:`correct_label`.

    Args:
        image_ids: The images.
        label_dir: Folder of the pseudo labels, ``<image id>.png``.
        mask_dir: Folder of the ground-truth masks, with the same names.
        out_dir: Folder to write to.
        missed: As for :func:`correct_label`.
        num_classes: With the background.
    """
    for image_id in image_ids:
        label, mask = (
            read_label_png(Path(folder, f'{image_id}.png'), num_classes)
            for folder in (label_dir, mask_dir)
        )
        label = correct_label(label, mask, missed)
        write_label_png(Path(out_dir, f'{image_id}.png'), label)


def correct_label(
    label: np.ndarray, mask: np.ndarray, missed: bool
) -> np.ndarray:
    """Correct one kind of error in a pseudo label and keep the other.

    Args:
        label: ``(H, W)`` uint8, the pseudo label.
        mask: ``(H, W)`` uint8, the ground truth. Where it is 255, the label
            stays.
        missed: Correct the objects' pixels that are labelled background. If
            False, correct the pixels that are wrongly labelled an object.

    Returns:
        ``(H, W)`` uint8. Correcting both kinds gives the mask.
    """
    known = (mask != IGNORE) & (label != IGNORE)
    wrong = (label != mask) & known & ((label == 0) == missed)
    return np.where(wrong, mask, label).astype(np.uint8)
