"""What a labeler is and what it makes."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...boxes import pixel_boxes
from .segment import Box, Segment, paint_segments


@dataclass(frozen=True, eq=False)
class PseudoLabel:
    """The pseudo label of one image.

    Args:
        label_map: ``(H, W)`` uint8: 0 background, class id, 255 ignore.
        segments: One a box, in the order given, before smaller boxes are
            painted over it.
    """

    label_map: np.ndarray
    segments: tuple[Segment, ...]


class PseudoLabeler(ABC):
    """Makes the pseudo label of an image from its boxes.

    Each box is segmented for itself; see :func:`paint_segments` for what
    becomes of an image.
    """

    def __call__(
        self, image: np.ndarray, boxes: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        """The label map alone; see :meth:`label`."""
        return self.label(image, boxes, labels).label_map

    def label(
        self, image: np.ndarray, boxes: np.ndarray, labels: np.ndarray
    ) -> PseudoLabel:
        """Make the pseudo label of an image.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            boxes: ``(K, 4)`` xyxy in pixels, 0-based and half-open.
            labels: ``(K,)`` integers in ``1..254``.

        Returns:
            The label map and what each box became.

        Raises:
            ValueError: An array has another shape, dtype or value range, or
                a box is empty or outside the image.
        """
        image, labels = np.asarray(image), np.asarray(labels).reshape(-1)
        if image.dtype != np.uint8 or image.shape[2:] != (3,):
            raise ValueError(
                'image must be uint8 of shape (H, W, 3). '
                f'Got: {image.dtype} {image.shape}'
            )
        size = image.shape[:2]
        pixels = pixel_boxes(boxes, size)
        if len(labels) != len(pixels):
            raise ValueError(
                'labels must have one value a box. '
                f'Got: {len(labels)} for {len(pixels)} boxes'
            )
        if ((labels < 1) | (labels > 254)).any():
            raise ValueError(f'labels must be in 1..254. Got: {labels}')

        segment = self._segmenter(image)
        segments = tuple(segment(tuple(box)) for box in pixels.tolist())
        return PseudoLabel(
            paint_segments(size, pixels, labels, segments), segments
        )

    @property
    def config(self) -> dict[str, Any]:
        """What :func:`build_labeler` makes an equal labeler from."""
        return {'type': type(self).__name__, **vars(self)}

    def warm_up(self) -> None:
        """Label a small image, so that what compiles once is compiled."""
        self(np.zeros((8, 8, 3), np.uint8), np.array([(1, 1, 6, 6)]), [1])

    @abstractmethod
    def _segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        """What segments the boxes of an image.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.

        Returns:
            A function of one box in whole pixels, xyxy, half-open, inside
            the image.
        """
