"""What mIoU is made of: areas, summed over images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..label_maps import IGNORE


@dataclass
class LabelAreas:
    """Areas in pixels of label maps and masks; two of them can be added.

    Args:
        confusion: ``(C, C)`` int64, background first: pixels by the mask's
            class, a row, and the label map's, a column.
        labelled: Labelled pixels of the masks.
        images: Their number.
    """

    confusion: np.ndarray
    labelled: int = 0
    images: int = 0

    @classmethod
    def nothing(cls, num_classes: int) -> 'LabelAreas':
        """Areas of no image."""
        return cls(np.zeros((num_classes, num_classes), np.int64))

    @classmethod
    def of(
        cls, label_map: np.ndarray, mask: np.ndarray, num_classes: int
    ) -> 'LabelAreas':
        """Areas of one image.

        Pixels that are 255 in either map are left out.

        Args:
            label_map: ``(H, W)`` uint8, the one to judge; ``0..C - 1`` or 255.
            mask: ``(H, W)`` uint8, the ground truth; ``0..C - 1`` or 255.
            num_classes: ``C``, with the background.

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
        """The areas of object, all classes but the background, against it."""
        areas = np.add.reduceat(self.confusion, [0, 1], 0)
        return replace(self, confusion=np.add.reduceat(areas, [0, 1], 1))

    def report(self, classes: Sequence[str]) -> dict:
        """The figures that are made of the areas.

        Args:
            classes: Names of all classes, background first.

        Returns:
            ``IoU``: by class name, None for a class that neither label maps
            nor masks have; ``mIoU``: their mean; ``class-agnostic mIoU``: the
            same with all classes but the background as one; ``coverage``:
            share of the masks' labelled pixels that the label maps label too;
            ``images``: their number; all but that in percent.

            The errors of a class but the background, in proportion to its
            pixels in the masks, as means over those that the masks have, or
            None: ``confused``, its pixels that are labelled another such
            class; ``missed``, its pixels that are labelled background;
            ``added``, pixels of the background that are labelled this class.

        Raises:
            ValueError: No pixel has a label in both.
        """
        areas = self.confusion
        kept = areas.sum()
        if kept == 0:
            raise ValueError('no pixel has a label in label map and mask')
        iou = _iou(areas)
        total, right = areas.sum(1)[1:], areas.diagonal()[1:]
        errors = {
            'confused': total - right - areas[1:, 0],
            'missed': areas[1:, 0],
            'added': areas[0, 1:],
        }
        has = total > 0
        return {
            'mIoU': float(np.nanmean(iou)),
            'class-agnostic mIoU': float(
                np.nanmean(_iou(self.merged().confusion))
            ),
            **{
                name: float(np.mean(100 * pixels[has] / total[has]))
                if has.any()
                else None
                for name, pixels in errors.items()
            },
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
