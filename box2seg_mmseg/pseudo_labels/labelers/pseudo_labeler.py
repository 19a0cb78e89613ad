"""The base class of the labelers and what they return."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...boxes import pixel_boxes
from ...option import Option
from .exact_grab_cut import announcing_compilation
from .segment import Box, Segment, paint_segments


@dataclass(frozen=True, eq=False)
class PseudoLabel:
    """The pseudo label of one image.

    Args:
        label_map: ``(H, W)`` uint8: 0 background, class id, 255 ignore.
        segments: One per box, in the order given, before smaller boxes are
            painted over it.
    """

    label_map: np.ndarray
    segments: tuple[Segment, ...]


class PseudoLabeler(ABC):
    """Makes the pseudo label of an image from its boxes.

    A labeler segments each box on its own, and :func:`paint_segments` merges
    the segments. A new one derives from this class, is registered with
    ``@LABELERS.register_module()`` and implements :meth:`segmenter`. It keeps
    each argument of ``__init__`` as an attribute of the same name; all other
    attributes begin with an underscore. It must be picklable, so that worker
    processes can use it.

    Attributes:
        method: Its name on the command line (``--method``); None for a
            labeler that only configs use. The first line of the class's
            docstring is its help.
        options: Those of its arguments that the command line offers.
    """

    method: ClassVar[str | None] = None
    options: ClassVar[tuple[Option, ...]] = ()

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

        Raises:
            ValueError: An array has another shape, dtype or value range, a
                box is empty or outside the image, or a segment does not have
                the size of its box.
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
                'labels must have one value per box. '
                f'Got: {len(labels)} for {len(pixels)} boxes'
            )
        if ((labels < 1) | (labels > 254)).any():
            raise ValueError(f'labels must be in 1..254. Got: {labels}')

        segment = self.segmenter(image)
        segments = tuple(segment(tuple(box)) for box in pixels.tolist())
        for (x1, y1, x2, y2), one in zip(pixels, segments, strict=True):
            values = one.values
            if (values.dtype, values.shape) != (np.uint8, (y2 - y1, x2 - x1)):
                raise ValueError(
                    f'{type(self).__name__} must make segments of uint8 in '
                    f'the size of the box, {(int(y2 - y1), int(x2 - x1))}. '
                    f'Got: {values.dtype} {values.shape}'
                )
        return PseudoLabel(
            paint_segments(size, pixels, labels, segments), segments
        )

    @property
    def config(self) -> dict[str, Any]:
        """The config from which :func:`build_labeler` builds an equal one."""
        arguments = {k: v for k, v in vars(self).items() if k[0] != '_'}
        return {'type': type(self).__name__, **arguments}

    def warm_up(self, progress: bool = False) -> None:
        """Label a small image, so that numba compiles what it has to now.

        With ``progress``, stderr says so before anything is compiled.
        """
        message = (
            f'compiling {type(self).__name__} for this machine, once; this '
            'takes about 15 s, or a minute on a slow machine'
        )
        with announcing_compilation(message if progress else None):
            image = np.zeros((64, 64, 3), np.uint8)
            self(image, np.array([(8, 8, 56, 56)]), [1])

    @abstractmethod
    def segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        """Prepare the segmentation of an image's boxes.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.

        Returns:
            A function that segments one box, given in whole pixels, xyxy,
            half-open, inside the image.
        """
