"""Merge all classes into one: object against background."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MergeClasses(BaseTransform):
    """Make every foreground class class 1, in masks and boxes.

    It must come after the transform that loads masks and before LoadBoxes.
    A pseudo label does not depend on the classes of its boxes, so labels
    stored for many classes serve for one.

    Required Keys: none; those that exist are changed.

    Modified Keys:

    - gt_seg_map (np.uint8, (H, W)): 0 and 255 stay.
    - box_labels (np.int64, (K,))
    - num_classes (int): 2
    """

    def transform(self, results: dict) -> dict:
        """Merge the classes."""
        if 'gt_seg_map' in results:
            label = results['gt_seg_map']
            results['gt_seg_map'] = np.where(
                (label == 0) | (label == 255), label, 1
            ).astype(np.uint8)
        if 'box_labels' in results:
            results['box_labels'] = np.ones_like(results['box_labels'])
        if 'num_classes' in results:
            results['num_classes'] = 2
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
