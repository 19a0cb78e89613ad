"""Masks that lack objects, as many real masks do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from box2seg_mmseg.boxes import BoxAnnotations, pixel_boxes
from box2seg_mmseg.label_maps import read_label_png, write_label_png


def write_masks_with_missing_objects(
    annotations: Sequence[BoxAnnotations],
    mask_dir: str | Path,
    out_dir: str | Path,
    share: float = 0.1,
    seed: int = 0,
    num_classes: int = 21,
) -> int:
    """Copy masks without some of their objects, whose boxes stay.

    About a tenth of VOC's masks miss objects that have boxes; this imitates
    it (our choice). An object is given by its box: the pixels of its class
    in the box that no other box of the class covers.

    Args:
        annotations: The boxes of the images.
        mask_dir: Folder of the masks, ``<image id>.png``.
        out_dir: Folder to write to.
        share: Share of all boxes whose object is removed, in ``[0, 1]``.
        seed: Chooses the boxes, over all images.
        num_classes: With the background.

    Returns:
        How many objects were removed.
    """
    owners = np.repeat(
        np.arange(len(annotations)), [len(a.labels) for a in annotations]
    )
    count = round(share * len(owners))
    chosen = np.zeros(len(owners), bool)
    rng = np.random.default_rng(seed)
    chosen[rng.choice(len(owners), count, replace=False)] = True
    for i, item in enumerate(annotations):
        path = Path(mask_dir, f'{item.image_id}.png')
        mask = read_label_png(path, num_classes)
        mask = remove_objects(mask, item, chosen[owners == i])
        write_label_png(Path(out_dir, f'{item.image_id}.png'), mask)
    return count


def remove_objects(
    mask: np.ndarray, annotations: BoxAnnotations, missing: np.ndarray
) -> np.ndarray:
    """Turn the objects of some boxes into background.

    Args:
        mask: ``(H, W)`` uint8 of the image.
        annotations: Its K boxes.
        missing: ``(K,)`` bool, the boxes whose objects are removed.

    Returns:
        ``(H, W)`` uint8: pixels of a missing box's class in it become 0,
        unless a box of the class that stays covers them.
    """
    boxes = pixel_boxes(annotations.boxes, annotations.size)
    gone = np.zeros(mask.shape, bool)
    for label in np.unique(annotations.labels[missing]):
        covered = {}
        for state in (True, False):
            covered[state] = np.zeros(mask.shape, bool)
            of_class = (annotations.labels == label) & (missing == state)
            for x1, y1, x2, y2 in boxes[of_class].tolist():
                covered[state][y1:y2, x1:x2] = True
        gone |= (mask == label) & covered[True] & ~covered[False]
    return np.where(gone, 0, mask).astype(np.uint8)
