"""What mIoU is made of: areas, summed over images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmseg.evaluation import IoUMetric

from ..pseudo_labels import IGNORE


@dataclass
class LabelAreas:
    """Areas in pixels of label maps and masks; two of them can be added.

    Args:
        intersection: ``(C,)`` float64, one a class, background first.
        union: ``(C,)`` float64.
        kept: Labelled pixels of the masks that the label maps label too.
        labelled: Labelled pixels of the masks.
        images: Their number.
    """

    intersection: np.ndarray
    union: np.ndarray
    kept: int = 0
    labelled: int = 0
    images: int = 0

    @classmethod
    def nothing(cls, num_classes: int) -> 'LabelAreas':
        """Areas of no image."""
        return cls(np.zeros(num_classes), np.zeros(num_classes))

    @classmethod
    def of(
        cls, label_map: np.ndarray, mask: np.ndarray, num_classes: int
    ) -> 'LabelAreas':
        """Areas of one image, by mmseg's own IoUMetric.

        Pixels that are 255 in either map are left out.

        Args:
            label_map: ``(H, W)`` uint8, the one to judge.
            mask: ``(H, W)`` uint8, the ground truth.
            num_classes: With the background.

        Raises:
            ValueError: The maps differ in size.
        """
        if label_map.shape != mask.shape:
            raise ValueError(
                'label map and mask differ in size. '
                f'Got: {label_map.shape} and {mask.shape}'
            )
        both = np.where(label_map == IGNORE, IGNORE, mask)
        intersection, union, _, _ = IoUMetric.intersect_and_union(
            torch.from_numpy(label_map),
            torch.from_numpy(both),
            num_classes,
            IGNORE,
        )
        return cls(
            intersection.double().numpy(),
            union.double().numpy(),
            int((both != IGNORE).sum()),
            int((mask != IGNORE).sum()),
            1,
        )

    def __add__(self, other: 'LabelAreas') -> 'LabelAreas':
        return LabelAreas(
            self.intersection + other.intersection,
            self.union + other.union,
            self.kept + other.kept,
            self.labelled + other.labelled,
            self.images + other.images,
        )

    def report(self, classes: Sequence[str]) -> dict:
        """The figures that are made of the areas.

        Args:
            classes: Names of all classes, background first.

        Returns:
            ``mIoU``: mean in percent over the classes that occur in label
            maps or masks; ``IoU``: percent by class name, None for a class
            that occurs in neither; ``coverage``: share in percent of the
            masks' labelled pixels that the label maps label too; ``images``:
            their number.

        Raises:
            ValueError: No pixel has a label in both.
        """
        if self.kept == 0:
            raise ValueError('no pixel has a label in label map and mask')
        occurs = self.union > 0
        iou = 100 * self.intersection / np.where(occurs, self.union, 1)
        return {
            'mIoU': float(iou[occurs].mean()),
            'IoU': {
                name: float(value) if known else None
                for name, value, known in zip(
                    classes, iou, occurs, strict=True
                )
            },
            'coverage': 100 * self.kept / self.labelled,
            'images': self.images,
        }
