"""What the readers of all formats share."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from .box_annotations import (
    AnnotationError,
    BoxAnnotations,
    warn_of_clipped_boxes,
)


@dataclass
class ReadingReport:
    """What became of the entries of an annotation file.

    An entry is one box, in VOC's XML one file. ``num_read`` is the sum of the
    other counts and the skipped ones.

    Args:
        skip_bad: Leave bad entries out and list them, instead of raising.
        num_read: Entries looked at.
        num_used: Entries that were yielded.
        num_other_classes: Entries of classes that are not asked for.
        num_other_images: Entries of images that are not asked for.
        skipped: One line for each bad entry: file, place, what was found.
    """

    skip_bad: bool = False
    num_read: int = 0
    num_used: int = 0
    num_other_classes: int = 0
    num_other_images: int = 0
    skipped: list[str] = field(default_factory=list)

    def bad(self, error: AnnotationError) -> None:
        """Note a bad entry, or raise its error."""
        if not self.skip_bad:
            raise error
        self.skipped.append(str(error))

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Count an entry as used, or as bad where its error is raised."""
        try:
            yield
        except AnnotationError as error:
            self.bad(error)
        else:
            self.num_used += 1


class BoxCollector:
    """Gathers the boxes of one image and clips them to it.

    Args:
        image_id: As :class:`BoxAnnotations` has it.
        image_path: As :class:`BoxAnnotations` has it.
        size: ``(H, W)`` of the image in pixels.
        flag_names: Flags that each box has.
        has_scores: Whether each box has a score.
    """

    def __init__(
        self,
        image_id: str,
        image_path: str | Path,
        size: tuple[int, int],
        flag_names: Sequence[str] = (),
        has_scores: bool = False,
    ) -> None:
        self._image_id = image_id
        self._image_path = str(image_path)
        self._size = size
        self._boxes: list[np.ndarray] = []
        self._labels: list[int] = []
        self._scores: list[float] | None = [] if has_scores else None
        self._flags: dict[str, list[bool]] = {name: [] for name in flag_names}
        self._num_clipped = 0

    def add(
        self,
        box: Sequence[float],
        label: int,
        where: str,
        score: float | None = None,
        flags: Sequence[bool] = (),
        given: object = None,
    ) -> None:
        """Add a box.

        Args:
            box: xyxy in pixels, 0-based and half-open.
            label: At least 1.
            where: File and place, the beginning of an error's message.
            score: In ``[0, 1]``, where the boxes have scores.
            flags: One value a flag name.
            given: What the file says, for messages; ``box`` if it is None.

        Raises:
            AnnotationError: The box has NaN, is empty or lies wholly outside
                the image; or the score is not in ``[0, 1]``.
        """
        height, width = self._size
        # As BoxAnnotations stores it, so that an empty box shows here.
        found = np.asarray(box, np.float64).astype(np.float32)
        given = found.tolist() if given is None else given
        if not np.isfinite(found).all():
            raise AnnotationError(
                f'{where}: a box has four numbers. Got: {given}'
            )
        if not (found[:2] < found[2:]).all():
            raise AnnotationError(
                f'{where}: needs x1 < x2 and y1 < y2. Got: {given}'
            )
        clipped = np.clip(found, 0, (width, height, width, height))
        if not (clipped[:2] < clipped[2:]).all():
            raise AnnotationError(
                f'{where}: lies wholly outside the image of {width} x '
                f'{height} px. Got: {given}'
            )
        if self._scores is not None:
            if score is None or not 0 <= score <= 1:
                raise AnnotationError(
                    f'{where}: needs a score in [0, 1]. Got: {score}'
                )
            self._scores.append(score)
        self._boxes.append(clipped)
        self._labels.append(label)
        for values, value in zip(self._flags.values(), flags, strict=True):
            values.append(bool(value))
        self._num_clipped += bool((clipped != found).any())

    def collect(self) -> BoxAnnotations:
        """The boxes that were added."""
        scores = self._scores
        return BoxAnnotations(
            image_id=self._image_id,
            image_path=self._image_path,
            size=self._size,
            boxes=np.array(self._boxes, np.float32),
            labels=np.array(self._labels, np.int64),
            scores=None if scores is None else np.array(scores, np.float32),
            flags={k: np.array(v, bool) for k, v in self._flags.items()},
            num_clipped=self._num_clipped,
        )


def counting_clipped(
    annotations: Iterable[BoxAnnotations],
) -> Iterator[BoxAnnotations]:
    """Pass annotations on; after the last, warn of the clipped boxes once."""
    num_boxes = num_images = 0
    for item in annotations:
        num_boxes += item.num_clipped
        num_images += item.num_clipped > 0
        yield item
    warn_of_clipped_boxes(num_boxes, num_images)


def image_name(file_name: object, where: str) -> str:
    """An image's path below the image folder, checked.

    Args:
        file_name: What the annotation file says.
        where: File and place, the beginning of an error's message.

    Returns:
        The name.

    Raises:
        AnnotationError: It is no name, or leads out of the image folder.
    """
    name = file_name if isinstance(file_name, str) else ''
    kinds = PurePosixPath(name), PureWindowsPath(name)
    leaves = any(k.anchor or '..' in k.parts for k in kinds)
    if leaves or not kinds[0].name or '\0' in name:
        raise AnnotationError(
            f'{where}: an image must lie in the image folder. '
            f'Got: {file_name!r}'
        )
    return name
