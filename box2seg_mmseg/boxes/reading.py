"""What the readers of all formats share: report, collector, checks."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from ..images import ImageError, image_size
from .box_annotations import AnnotationError, BoxAnnotations, one_line, shown

_MAX_NAMES = 10  # names of classes in a message
MAX_SIDE = 2**20
"""The largest width and height of an image, as in OpenCV."""


@dataclass
class ReadingReport:
    """Counts of annotation entries read, used and skipped.

    An entry is one box. A file or an image that cannot be read counts as one
    entry too. ``num_read`` is the sum of the other counts and the skipped
    ones.

    Args:
        skip_bad: Skip bad entries and list them, instead of raising an error.
        num_read: Entries read.
        num_used: Entries that were yielded.
        num_other_images: Entries of images that were not asked for.
        other_classes: For each class that was not asked for, how many
            entries it has and where the first one is.
        skipped: One line for each bad entry: file, place and value.
    """

    skip_bad: bool = False
    num_read: int = 0
    num_used: int = 0
    num_other_images: int = 0
    other_classes: dict[str, tuple[int, str]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @property
    def num_other_classes(self) -> int:
        """Entries of classes that were not asked for."""
        return sum(count for count, _ in self.other_classes.values())

    def other_class(self, name: str, where: str) -> None:
        """Count an entry of a class that was not asked for."""
        name, where = one_line(name), one_line(where)
        count, first = self.other_classes.get(name, (0, where))
        self.other_classes[name] = count + 1, first

    def summary(self) -> list[str]:
        """The counts as lines of text, other classes by name."""
        lines = [
            f'{self.num_read} annotations read: {self.num_used} used, '
            f'{self.num_other_classes} of other classes, '
            f'{self.num_other_images} of other images, '
            f'{len(self.skipped)} bad'
        ]
        by_count = sorted(self.other_classes.items(), key=lambda x: -x[1][0])
        shown = [
            f'{name} {count} (first: {first})'
            for name, (count, first) in by_count[:_MAX_NAMES]
        ]
        if shown:
            more = len(by_count) - len(shown)
            shown += [f'{more} more'] if more else []
            lines.append(f'other classes: {"; ".join(shown)}')
        return lines

    def bad(self, error: AnnotationError) -> None:
        """Record a bad entry, or raise its error."""
        if not self.skip_bad:
            raise error
        self.skipped.append(str(error))

    def bad_image(self, error: AnnotationError) -> None:
        """Record an image whose boxes cannot be read, or raise its error."""
        self.num_read += 1
        self.bad(error)

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Count an entry as used, or as bad if its error is raised."""
        try:
            yield
        except AnnotationError as error:
            self.bad(error)
        else:
            self.num_used += 1


@dataclass
class BoxCollector:
    """Gathers the boxes of one image and clips them to it.

    ``image_id``, ``image_path``, ``size`` and ``source_id`` are those of
    :class:`BoxAnnotations`. Each box has the flags of ``flag_names`` and, if
    ``has_scores``, a score.
    """

    image_id: str
    image_path: str | Path
    size: tuple[int, int]
    flag_names: Sequence[str] = ()
    has_scores: bool = False
    source_id: int | str | None = None
    _found: list[tuple] = field(default_factory=list)
    _num_clipped: int = 0

    def add(
        self,
        box: Sequence[float],
        label: int,
        where: str,
        score: float | None = None,
        flags: Sequence[bool] = (),
        given: object = None,
        box_id: object = None,
    ) -> None:
        """Add a box.

        Args:
            box: xyxy in pixels, 0-based and half-open.
            label: At least 1.
            where: File and place, the beginning of an error message.
            score: In ``[0, 1]``, if the boxes have scores.
            flags: One value for each flag name.
            given: The values in the file, for messages; None means ``box``.
            box_id: Its id in the file. Only an int or a str is kept.

        Raises:
            AnnotationError: The box has NaN, is empty or lies entirely
                outside the image, or the score is not in ``[0, 1]``.
        """
        height, width = self.size
        # As BoxAnnotations stores it, so that an empty box shows here.
        with np.errstate(over='ignore'):  # to infinity, which is refused
            found = np.asarray(box, np.float64).astype(np.float32)
        given = found.tolist() if given is None else given
        if not np.isfinite(found).all():
            raise AnnotationError(
                f'{where}: a box needs four finite numbers. Got: {given}'
            )
        if not (found[:2] < found[2:]).all():
            raise AnnotationError(
                f'{where}: needs x1 < x2 and y1 < y2. Got: {given}'
            )
        clipped = np.clip(found, 0, (width, height, width, height))
        if not (clipped[:2] < clipped[2:]).all():
            raise AnnotationError(
                f'{where}: lies entirely outside the image of {width} x '
                f'{height} px. Got: {given}'
            )
        if self.has_scores and (score is None or not 0 <= score <= 1):
            raise AnnotationError(
                f'{where}: needs a score in [0, 1]. Got: {score}'
            )
        box_id = box_id if type(box_id) in (int, str) else None
        self._found.append((clipped, label, score, flags, box_id))
        self._num_clipped += bool((clipped != found).any())

    def collect(self) -> BoxAnnotations:
        """The boxes that were added."""
        boxes, labels, scores, flags, ids = (
            [values[i] for values in self._found] for i in range(5)
        )
        has_ids = any(box_id is not None for box_id in ids)
        return BoxAnnotations(
            image_id=self.image_id,
            image_path=str(self.image_path),
            size=self.size,
            boxes=np.array(boxes, np.float32),
            labels=np.array(labels, np.int64),
            scores=np.array(scores, np.float32) if self.has_scores else None,
            flags={
                name: np.array([bool(values[i]) for values in flags], bool)
                for i, name in enumerate(self.flag_names)
            },
            num_clipped=self._num_clipped,
            ids=np.array(ids, object) if has_ids else None,
            source_id=self.source_id,
        )


def counting_clipped(
    annotations: Iterable[BoxAnnotations],
) -> Iterator[BoxAnnotations]:
    """Pass annotations on, and after the last one warn of clipped boxes."""
    num_boxes = num_images = 0
    for item in annotations:
        num_boxes += item.num_clipped
        num_images += item.num_clipped > 0
        yield item
    if num_boxes:
        warnings.warn(
            f'{num_boxes} boxes in {num_images} images reached outside their '
            'image and were clipped to it',
            stacklevel=2,
        )


def require_boxes(
    annotations: Iterable[BoxAnnotations],
    report: ReadingReport,
    classes: Sequence[str],
) -> Iterator[BoxAnnotations]:
    """Pass annotations on once one of them has a box.

    Without any box all pixels would become background, and the mistake could
    go unnoticed. ``report`` and ``classes`` are those of the box
    source, for the message.

    Raises:
        AnnotationError: None of the annotations has a box.
    """
    waiting: list[BoxAnnotations] = []
    items = iter(annotations)
    for item in items:
        waiting.append(item)
        if len(item.labels):
            yield from waiting
            yield from items
            return
    names = list(classes[:_MAX_NAMES])
    names += ['...'] if len(classes) > _MAX_NAMES else []
    hint = 'check the class names, the split and the annotation file'
    if report.num_used:
        hint = 'the score threshold leaves none; lower it'
    elif report.skipped:
        hint += f'; the first bad one is: {report.skipped[0]}'
    raise AnnotationError(
        f'no image of the split has a box of the classes {", ".join(names)} '
        f'({"; ".join(report.summary())}); {hint}'
    )


def read_image_size(path: str | Path) -> tuple[int, int]:
    """As :func:`image_size`, but bad images raise AnnotationError."""
    try:
        return image_size(path)
    except ImageError as error:
        raise AnnotationError(str(error)) from None


def checked_size(height: object, width: object, where: str) -> tuple[int, int]:
    """The height and width of an image that an annotation file gives.

    Raises:
        AnnotationError: One of them is not a whole number from 1 to
            ``MAX_SIDE``. The message begins with ``where``.
    """
    for name, value in (('width', width), ('height', height)):
        is_number = type(value) in (int, float)
        # False for NaN too.
        if not (is_number and 1 <= value <= MAX_SIDE and value % 1 == 0):
            raise AnnotationError(
                f'{where}: {name} must be a whole number from 1 to '
                f'{MAX_SIDE}. Got: {shown(value)}'
            )
    return int(height), int(width)


def image_name(file_name: object, where: str) -> str:
    """The path of an image below the image folder, checked.

    Raises:
        AnnotationError: It is not a path, or leads out of the image folder.
            The message begins with ``where``.
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
