"""The base class of the labelers and what they return."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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


class PseudoLabeler:
    """Makes the pseudo label of an image from its boxes.

    A labeler makes one segment per box, and :func:`paint_segments` merges
    the segments. A new one derives from this class, is registered with
    ``@LABELERS.register_module()`` and implements :meth:`segmenter`, or
    :meth:`segment_boxes` if it segments all boxes of an image together. It
    keeps each argument of ``__init__`` as an attribute of the same name; all
    other attributes begin with an underscore. It must be picklable, so that
    worker processes can use it.

    A labeler that reads a file for each image besides the photograph names it
    in :meth:`side_files`; one that depends on other files, such as a
    checkpoint, describes them in :attr:`provenance`. Labels are made again
    when these change.

    Attributes:
        method: Its name on the command line (``--method``); None for a
            labeler that only configs use. The first line of the class's
            docstring is its help.
        options: Those of its arguments that the command line offers.
        runtime_arguments: Those of its arguments that say only where it runs,
            or how fast, such as ``device``. A label folder does not record
            them, so a run with others resumes it.
        default_workers: Number of processes if the user names none; None
            means one per core. A labeler that runs a network sets 1, because
            the network uses all cores or the GPU already.
    """

    method: ClassVar[str | None] = None
    options: ClassVar[tuple[Option, ...]] = ()
    runtime_arguments: ClassVar[tuple[str, ...]] = ()
    default_workers: ClassVar[int | None] = None

    def __call__(
        self, image: np.ndarray, boxes: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        """The label map alone; see :meth:`label`."""
        return self.label(image, boxes, labels).label_map

    def label(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None = None,
    ) -> PseudoLabel:
        """Make the pseudo label of an image.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            boxes: ``(K, 4)`` xyxy in pixels, 0-based and half-open.
            labels: ``(K,)`` integers in ``1..254``.
            image_id: Its id, for a labeler with :meth:`side_files`.

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

        segments = tuple(self.segment_boxes(image, pixels, labels, image_id))
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

    @classmethod
    def recorded(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that are not :attr:`runtime_arguments`."""
        return {
            key: value
            for key, value in arguments.items()
            if key not in cls.runtime_arguments
        }

    def warm_up(self, progress: bool = False) -> None:
        """Label a small image, so that numba compiles what it has to now.

        With ``progress``, stderr says so before anything is compiled. A
        labeler that has :meth:`side_files` is left as it is, because the
        small image has none.
        """
        if self.side_files(''):
            return
        message = (
            f'compiling {type(self).__name__} for this machine, once; this '
            'takes about 15 s, or a minute on a slow machine'
        )
        with announcing_compilation(message if progress else None):
            image = np.zeros((64, 64, 3), np.uint8)
            self(image, np.array([(8, 8, 56, 56)]), [1])

    @property
    def provenance(self) -> dict[str, Any]:
        """What a label folder's manifest records besides :attr:`config`.

        Such as the hash of a checkpoint. It must be a JSON object.
        """
        return {}

    def side_files(self, image_id: str) -> tuple[Path, ...]:
        """The files besides the photograph that the label depends on."""
        return ()

    def segment_boxes(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        labels: np.ndarray,
        image_id: str | None,
    ) -> Sequence[Segment]:
        """Segment all boxes of an image.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.
            boxes: ``(K, 4)`` int64 xyxy in whole pixels, half-open, inside
                the image.
            labels: ``(K,)`` integers in ``1..254``.
            image_id: Its id; None if the caller gave none.

        Returns:
            One segment per box, in the order given.
        """
        segment = self.segmenter(image)
        return [segment(tuple(box)) for box in boxes.tolist()]

    def segmenter(self, image: np.ndarray) -> Callable[[Box], Segment]:
        """Prepare the segmentation of an image's boxes, one by one.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.

        Returns:
            A function that segments one box, given in whole pixels, xyxy,
            half-open, inside the image.
        """
        raise NotImplementedError(
            f'{type(self).__name__} must implement segmenter or segment_boxes'
        )
