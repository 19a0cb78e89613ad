"""The boxes of one image, independent of the file format."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

_MAX_MESSAGE = 900  # characters
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


class AnnotationError(ValueError):
    """An annotation file is missing, malformed or has impossible values.

    The message names the file, the object in it and the value. It is one
    printable line of limited length, whatever the file contains.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """A text as one printable line; the middle of a long one is left out."""
    if len(text) > _MAX_MESSAGE:
        text = f'{text[:600]} ... {text[-250:]}'
    text = ' '.join(text.split())
    return text if text.isprintable() else repr(text)[1:-1]


def shown(value: object) -> str:
    """A value of an annotation file for a message, which may be nested."""
    return _SHORT.repr(value)


@dataclass(frozen=True, eq=False)
class BoxAnnotations:
    """The boxes of one image, checked and inside the image.

    Args:
        image_id: Path of the image below the image folder, without suffix.
        image_path: Path of the image file.
        size: ``(H, W)`` of the image in pixels.
        boxes: ``(K, 4)`` float32 xyxy in pixels, 0-based and half-open: the
            box covers the columns ``x1 <= x < x2``. Each has
            ``0 <= x1 < x2 <= W`` and ``0 <= y1 < y2 <= H``.
        labels: ``(K,)`` int64 in ``1..L``; 0 is the background, which has no
            box.
        scores: ``(K,)`` float32 in ``[0, 1]`` of detections, or None.
        flags: A ``(K,)`` bool array for each name, such as PASCAL VOC's
            ``difficult``.
        num_clipped: Number of boxes that reached outside the image before
            they were clipped to it.
        ids: The ``(K,)`` ids, int or str, that the boxes have in their file,
            as an object array; None for a box without one. None if the format
            has no ids.
        source_id: The id that the image has there, such as COCO's number.

    Raises:
        AnnotationError: A box or label is out of its range, or an array has
            another shape.
    """

    image_id: str
    image_path: str
    size: tuple[int, int]
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    flags: Mapping[str, np.ndarray] = field(default_factory=dict)
    num_clipped: int = 0
    ids: np.ndarray | None = None
    source_id: int | str | None = None

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, np.float32).reshape(-1, 4)
        labels = np.asarray(self.labels, np.int64).reshape(-1)
        object.__setattr__(self, 'boxes', boxes)
        object.__setattr__(self, 'labels', labels)
        per_box = {'labels': labels, **self.flags}
        for name in ('scores', 'ids'):
            if getattr(self, name) is not None:
                per_box[name] = getattr(self, name)
        for name, values in per_box.items():
            if len(values) != len(boxes):
                raise AnnotationError(
                    f'{self.image_id}: {name} must have one value per box. '
                    f'Got: {len(values)} for {len(boxes)} boxes'
                )
        height, width = self.size
        x1, y1, x2, y2 = boxes.T
        inside = (x1 >= 0) & (x1 < x2) & (x2 <= width)
        inside &= (y1 >= 0) & (y1 < y2) & (y2 <= height)
        for i in np.flatnonzero(~inside | (labels < 1)):
            raise AnnotationError(
                f'{self.image_id}: object {i + 1} needs label >= 1 and '
                f'0 <= x1 < x2 <= {width}, 0 <= y1 < y2 <= {height}. '
                f'Got: label {labels[i]}, box {boxes[i].tolist()}'
            )

    def take(self, indices: np.ndarray) -> 'BoxAnnotations':
        """The annotations with only these boxes, in this order.

        Args:
            indices: ``(K',)`` integers in ``0..K - 1``.
        """
        return replace(
            self,
            boxes=self.boxes[indices],
            labels=self.labels[indices],
            scores=None if self.scores is None else self.scores[indices],
            flags={k: v[indices] for k, v in self.flags.items()},
            ids=None if self.ids is None else self.ids[indices],
        )


def pixel_boxes(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Round boxes to whole pixels, at least one pixel wide and high.

    Only this function decides which pixels a box covers; pseudo labels and
    box maps both use it (our choice: the nearest pixel edge).

    Args:
        boxes: ``(K, 4)`` xyxy, half-open, in pixels.
        size: ``(H, W)`` of the image in pixels.

    Returns:
        ``(K, 4)`` int64 xyxy, half-open, inside the image.

    Raises:
        AnnotationError: A box is NaN, empty or entirely outside the image.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    height, width = size
    limit = np.array([width, height], np.float64)
    low, high = boxes[:, :2], boxes[:, 2:]
    usable = (low < high).all(1) & (high > 0).all(1) & (low < limit).all(1)
    for i in np.flatnonzero(~usable):
        raise AnnotationError(
            f'Box {i + 1} must be x1 < x2, y1 < y2 and touch the image of '
            f'{width} x {height} px. Got: {boxes[i].tolist()}'
        )
    # floor(v + 0.5) rounds all halves up, unlike round().
    first, end = np.floor(low + 0.5), np.floor(high + 0.5)
    # A side that would vanish becomes the pixel that holds its middle.
    first = np.where(first < end, first, np.floor((low + high) / 2))
    first = np.clip(first, 0, limit - 1)
    end = np.clip(end, first + 1, limit)
    return np.concatenate([first, end], 1).astype(np.int64)


def boxed_pixels(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels that at least one box covers, ``(H, W)`` bool.

    The arguments and errors are those of :func:`pixel_boxes`.
    """
    inside = np.zeros(size, bool)
    for x1, y1, x2, y2 in pixel_boxes(boxes, size):
        inside[y1:y2, x1:x2] = True
    return inside


def grow_box(
    box: tuple[int, int, int, int], margin: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Enlarge a box on all sides, up to the border of the image.

    Args:
        box: Whole pixels, xyxy, half-open, inside the image.
        margin: What is added on each side, as a share of the box's width and
            height; at least one pixel.
        size: ``(H, W)`` of the image in pixels.
    """
    x1, y1, x2, y2 = box
    dx, dy = (max(1, round(margin * side)) for side in (x2 - x1, y2 - y1))
    return (
        max(x1 - dx, 0),
        max(y1 - dy, 0),
        min(x2 + dx, size[1]),
        min(y2 + dy, size[0]),
    )
