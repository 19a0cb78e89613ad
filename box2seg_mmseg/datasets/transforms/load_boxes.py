"""Boxes as a map that goes through any geometric transform."""

import warnings

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...boxes import pixel_boxes

MAX_REGIONS = 254


@TRANSFORMS.register_module()
class LoadBoxes(BaseTransform):
    """Rasterise the boxes of an image into one map of region ids.

    A region is the set of pixels that the same boxes cover, so that L_fr can
    take its filling rates box by box; without ``per_box``, that the boxes of
    the same classes cover.
    The map is named in ``seg_fields``, so every stock geometric transform
    resizes, crops and flips it; the table tells the classes of each region.
    To pad, take PadMaps in place of mmcv's Pad. Transforms that mix images
    (RandomMosaic) can not be used: the regions of another image have another
    table.

    Required Keys:

    - img_path
    - img_shape
    - annotated_size (H, W)
    - boxes (np.float32, (K, 4)): xyxy in pixels, half-open
    - box_labels (np.int64, (K,)): in 1..L
    - seg_fields

    Modified Keys:

    - seg_fields

    Added Keys:

    - gt_box_map (np.uint8, (H, W)): 0 outside every box, r in the r-th
      region, 255 padding.
    - box_region_classes (np.bool_, (R + 1, L + 1)): whether region r is
      covered by a box of class c. Row 0 has only the background; the other
      rows never have it.
    - box_region_boxes (np.bool_, (R + 1, K)), with ``per_box`` alone: whether
      region r is covered by box k. Row 0 is empty.
    - box_region_labels (np.int64, (K,)), with it: the class of each box.
      Where the boxes of a class count as one, K is the number of classes.

    Args:
        num_classes: L + 1, background included.
        per_box: Tell boxes of one class apart. Where they make more than 254
            regions, as in a crowd, the boxes of a class count as one, and a
            warning names the image.

    Raises:
        ValueError: The image has not the size that its annotation says, a
            label is no class, or the boxes of the same classes make more than
            254 regions.
    """

    def __init__(self, num_classes: int, per_box: bool = True) -> None:
        self.num_classes = num_classes
        self.per_box = per_box

    def transform(self, results: dict) -> dict:
        """Add the map and its table."""
        size = tuple(results['img_shape'][:2])
        height, width = results['annotated_size']
        if size != (height, width):
            raise ValueError(
                f'{results["img_path"]}: the image is {size[1]} x {size[0]} '
                f'px, its annotation says {width} x {height}'
            )
        labels = results['box_labels']
        for label in labels.tolist():
            if not 1 <= label < self.num_classes:
                raise ValueError(
                    f'{results["img_path"]}: box labels must be in '
                    f'1..{self.num_classes - 1}. Got: {label}'
                )
        classes, regions, table = self._regions(results, size, self.per_box)
        if self.per_box:
            results['box_region_boxes'] = table
            results['box_region_labels'] = classes
        table = table @ (np.arange(self.num_classes) == classes[:, None])
        table[0, 0] = True
        results['gt_box_map'] = regions.astype(np.uint8)
        results['box_region_classes'] = table
        results['seg_fields'].append('gt_box_map')
        return results

    def _regions(
        self, results: dict, size: tuple[int, int], per_box: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The classes of the keys, the map, the keys of each region."""
        labels = results['box_labels']
        if per_box:
            classes, keys = labels, np.arange(len(labels))
        else:
            classes, keys = np.unique(labels, return_inverse=True)
        regions, table = rasterise_boxes(
            results['boxes'], keys, size, len(classes)
        )
        if len(table) <= MAX_REGIONS + 1:
            return classes, regions, table
        message = (
            f'{results["img_path"]}: {len(labels)} boxes make '
            f'{len(table) - 1} regions, at most {MAX_REGIONS} fit the map; '
        )
        if not per_box:
            raise ValueError(f'{message}cut the image in parts')
        warnings.warn(
            f'{message}L_fr takes those of a class as one', stacklevel=3
        )
        return self._regions(results, size, per_box=False)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(num_classes={self.num_classes}, '
            f'per_box={self.per_box})'
        )


def rasterise_boxes(
    boxes: np.ndarray,
    keys: np.ndarray,
    size: tuple[int, int],
    num_keys: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The map of regions, the sets of pixels under boxes of the same keys.

    Args:
        boxes: ``(K, 4)`` xyxy in pixels, half-open.
        keys: ``(K,)`` in ``0..num_keys - 1``, as the boxes' classes.
        size: ``(H, W)`` of the image.
        num_keys: How many keys there may be.

    Returns:
        ``(H, W)`` int32 region ids, 0 outside every box; and an
        ``(R + 1, num_keys)`` bool table of the keys of each region.
    """
    regions = np.zeros(size, np.int32)
    ids: dict[frozenset[int], int] = {frozenset(): 0}
    sets = [frozenset()]
    for (x1, y1, x2, y2), key in zip(
        pixel_boxes(boxes, size).tolist(), keys.tolist(), strict=True
    ):
        covered = regions[y1:y2, x1:x2]
        lookup = np.zeros(len(sets), np.int32)
        for old in np.flatnonzero(np.bincount(covered.ravel())):
            joined = sets[old] | {key}
            if joined not in ids:
                ids[joined] = len(sets)
                sets.append(joined)
            lookup[old] = ids[joined]
        covered[:] = lookup[covered]

    # Later boxes may have painted a region over entirely.
    used = np.flatnonzero(np.bincount(regions.ravel()))
    used = used[used > 0]
    compact = np.zeros(len(sets), np.int32)
    compact[used] = np.arange(1, len(used) + 1)
    table = np.zeros((len(used) + 1, num_keys), bool)
    for row, old in enumerate(used, start=1):
        table[row, list(sets[old])] = True
    return compact[regions], table
