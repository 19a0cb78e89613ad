"""Pixel areas, summed over images, from which IoU is computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..label_maps import IGNORE


@dataclass
class LabelAreas:
    """Pixel areas of label maps and masks. Two objects can be added.

    Args:
        confusion: ``(C, C)`` int64, background first: number of pixels, with
            the mask's class as row and the label map's as column.
        labelled: Number of labelled pixels of the masks.
        images: Number of images.
    """

    confusion: np.ndarray
    labelled: int = 0
    images: int = 0

    @classmethod
    def nothing(cls, num_classes: int) -> 'LabelAreas':
        """The areas of no image."""
        return cls(np.zeros((num_classes, num_classes), np.int64))

    @classmethod
    def of(
        cls, label_map: np.ndarray, mask: np.ndarray, num_classes: int
    ) -> 'LabelAreas':
        """Compute the areas of one image.

        Args:
            label_map: ``(H, W)`` uint8 in ``0..C - 1`` or 255, left out.
            mask: The ground truth, likewise.
            num_classes: ``C``, including the background.

        Raises:
            ValueError: The maps differ in size.
        """
        if label_map.shape != mask.shape:
            raise ValueError(
                'label map and mask differ in size. '
                f'Got: {label_map.shape} and {mask.shape}'
            )
        labelled = mask != IGNORE
        both = labelled & (label_map != IGNORE)
        cells = mask[both].astype(np.int64) * num_classes + label_map[both]
        confusion = np.bincount(cells, minlength=num_classes**2)
        return cls(
            confusion.reshape(num_classes, num_classes),
            int(labelled.sum()),
            1,
        )

    def __add__(self, other: 'LabelAreas') -> 'LabelAreas':
        return LabelAreas(
            self.confusion + other.confusion,
            self.labelled + other.labelled,
            self.images + other.images,
        )

    def merged(self) -> 'LabelAreas':
        """Merge all classes but the background into one."""
        areas = np.add.reduceat(self.confusion, [0, 1], 0)
        return replace(self, confusion=np.add.reduceat(areas, [0, 1], 1))

    def report(self, classes: Sequence[str]) -> dict:
        """Compute the metrics, in percent.

        Args:
            classes: Names of all classes, background first.

        Returns:
            ``IoU`` by class name, None for a class that occurs neither in the
            label maps nor in the masks; their mean ``mIoU``;
            ``class-agnostic mIoU``, the same with all foreground classes as
            one; ``coverage``, the share of the masks' labelled pixels that
            the label maps label too; and ``images``, their number.

            The errors ``confused``, ``missed`` and ``added`` that
            :data:`iou_tables.TERMS` explains, averaged over the foreground
            classes that occur in the masks; None if there are none.

        Raises:
            ValueError: No pixel is labelled in both label maps and masks.
        """
        areas = self.confusion
        kept = areas.sum()
        if kept == 0:
            raise ValueError('no pixel has a label in label map and mask')
        iou, agnostic = _iou(areas), _iou(self.merged().confusion)
        total, right = areas.sum(1)[1:], areas.diagonal()[1:]
        has = total > 0
        errors = {
            name: float(np.mean(100 * wrong[has] / total[has]))
            if has.any()
            else None
            for name, wrong in (
                ('confused', total - right - areas[1:, 0]),
                ('missed', areas[1:, 0]),
                ('added', areas[0, 1:]),
            )
        }
        return {
            'mIoU': float(np.nanmean(iou)),
            'class-agnostic mIoU': float(np.nanmean(agnostic)),
            **errors,
            'IoU': {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(classes, iou, strict=True)
            },
            'coverage': float(100 * kept / self.labelled),
            'images': self.images,
        }


def _iou(confusion: np.ndarray) -> np.ndarray:
    """``(C,)`` float64 in percent, NaN for a class that does not occur."""
    right = confusion.diagonal()
    union = confusion.sum(0) + confusion.sum(1) - right
    return 100 * right / np.where(union > 0, union, np.nan)
