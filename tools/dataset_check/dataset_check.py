"""The check of a data set before training: its problems and content."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, pixel_boxes
from box2seg_mmseg.images import (
    ImageError,
    ImageSizeError,
    decode_image,
    read_image_bytes,
)
from box2seg_mmseg.label_maps import IGNORE, read_label_png
from box2seg_mmseg.pseudo_labels import (
    MIN_SIDE,
    StoreError,
    check_label_folder,
    verify_pseudo_labels,
)
from box2seg_mmseg.pseudo_labels.store import MANIFEST

# Share of an image; small parts without a box are common.
_UNBOXED = 0.02
_CHUNK = 256  # images that are read ahead


@dataclass
class Problem:
    """One problem of a data set.

    Args:
        kind: Problems of the same kind are fixed in the same way.
        text: File, what was found, and how to fix it.
    """

    kind: str
    text: str


@dataclass
class ClassFigures:
    """Figures of one class in a data set.

    Args:
        images: Number of images with a box of the class.
        boxes: Number of boxes.
        thin: Number of boxes that are narrower or lower than 3 px.
        sides: Square root of the area of each box, in pixels.
        filling_rates: For each box the share of its pixels that the labels
            assign to the class; empty without labels.
    """

    images: int = 0
    boxes: int = 0
    thin: int = 0
    sides: list[float] = field(default_factory=list)
    filling_rates: list[float] = field(default_factory=list)

    def summary(self) -> dict:
        """The figures, with the median of each list; None if it is empty."""
        return dict(
            images=self.images,
            boxes=self.boxes,
            thin=self.thin,
            median_side=_median(self.sides),
            median_filling_rate=_median(self.filling_rates),
        )


@dataclass
class DatasetReport:
    """The result of :func:`check_dataset`.

    Args:
        problems: In the order found.
        images: Number of images read.
        unboxed: Number of them that have no box of the classes; training
            takes all of such an image for background.
        classes: Figures by class name.
        other_classes: Number of boxes by the names of other classes.
    """

    problems: list[Problem] = field(default_factory=list)
    images: int = 0
    unboxed: int = 0
    classes: dict[str, ClassFigures] = field(default_factory=dict)
    other_classes: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, text: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(kind, text))

    def to_json(self) -> dict:
        """The report as JSON can store it."""
        return dict(
            problems=[asdict(problem) for problem in self.problems],
            images=self.images,
            images_without_box=self.unboxed,
            classes={k: v.summary() for k, v in self.classes.items()},
            other_classes=self.other_classes,
        )


def check_dataset(
    annotations: Iterable[BoxAnnotations],
    image_ids: Sequence[str],
    classes: Sequence[str],
    label_dir: str | Path | None = None,
    other_images: Mapping[str, Mapping[str, Path]] | None = None,
    progress: bool = False,
) -> DatasetReport:
    """Read every image, box and label of a split once.

    Annotations that the box source refuses do not arrive here; add the lines
    of its report to the problems.

    Args:
        annotations: The boxes of the images.
        image_ids: All images of the split, including those whose annotations
            the box source refuses.
        classes: Names of the foreground classes.
        label_dir: Folder of pseudo labels or masks, ``<image id>.png``, or
            None.
        other_images: For each other split the paths of its images by id. No
            image of this split may be among them, by id or by content.
        progress: Show a progress bar on stderr.

    Returns:
        The problems and the figures.
    """
    report = DatasetReport(classes={name: ClassFigures() for name in classes})
    names: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for split, images in (other_images or {}).items():
        names |= dict.fromkeys(images, split)
        hashes |= _hashes_of_split(split, images, report)
    for image_id in image_ids:
        if image_id in names:
            report.add(
                'image in two splits',
                f'{image_id}: is in {names[image_id]} too; remove it from one',
            )
    bad_labels = set()
    if label_dir is not None:
        bad_labels = _check_label_folder(Path(label_dir), image_ids, report)
    seen: dict[str, str] = {}
    bar = tqdm(
        _read_ahead(annotations),
        desc='check',
        total=len(image_ids),
        unit='image',
        disable=not progress,
    )
    for item, digest in bar:
        report.images += 1
        report.unboxed += not len(item.labels)
        _check_boxes(item, report)
        if isinstance(digest, ImageError):
            is_whole = isinstance(digest, ImageSizeError)
            kind = 'image of another size' if is_whole else 'image'
            report.add(kind, str(digest))
        elif digest in hashes and item.image_id not in names:
            report.add(
                'image in two splits',
                f'{item.image_path}: the same picture as {hashes[digest]}; '
                'remove it from one',
            )
        elif digest in seen:
            report.add(
                'image twice',
                f'{item.image_path}: the same picture as {seen[digest]}; '
                'remove one from the split',
            )
        else:
            seen[digest] = item.image_id
        if label_dir is not None and item.image_id not in bad_labels:
            _check_label(item, Path(label_dir), report)
    if report.unboxed == report.images:
        report.add(
            'no box',
            f'none of {report.images} images has a box of the classes '
            f'{", ".join(classes)}; check their names',
        )
    return report


def _read_ahead(
    annotations: Iterable[BoxAnnotations],
) -> Iterator[tuple[BoxAnnotations, str | ImageError]]:
    """Each image with the hash of its pixels, or the error of reading it."""
    items = iter(annotations)
    with ThreadPoolExecutor() as pool:
        while chunk := list(islice(items, _CHUNK)):
            yield from zip(chunk, pool.map(_digest, chunk), strict=True)


def _digest(item: BoxAnnotations) -> str | ImageError:
    try:
        data = read_image_bytes(item.image_path)
        image = decode_image(data, item.image_path, item.size)
    except ImageError as error:
        return error
    return _hash(image)


def _hashes_of_split(
    split: str, images: Mapping[str, Path], report: DatasetReport
) -> dict[str, str]:
    """Names of the images of another split by the hash of their pixels."""
    hashes = {}
    unread = []
    for image_id, path in images.items():
        try:
            image = decode_image(read_image_bytes(path), path, None)
        except ImageError:
            unread.append(path)
        else:
            hashes[_hash(image)] = f'{image_id} of {split}'
    if unread:  # they may be in this split too
        report.add(
            'other split',
            f'{len(unread)} of {len(images)} images of {split} could not be '
            f'read, such as {unread[0]}; give its folder as FILE=DIR',
        )
    return hashes


def _hash(image: np.ndarray) -> str:
    shape = 'x'.join(map(str, image.shape))
    return f'{shape}:{hashlib.sha256(image.tobytes()).hexdigest()}'


def _check_boxes(item: BoxAnnotations, report: DatasetReport) -> None:
    names = list(report.classes)
    if item.num_clipped:
        report.add(
            'box outside its image',
            f'{item.image_id}: {item.num_clipped} boxes reach outside the '
            f'image of {item.size[1]} x {item.size[0]} px; correct them',
        )
    rows = Counter(
        (int(label), *box)
        for label, box in zip(item.labels, item.boxes.tolist(), strict=True)
    )
    for (label, *box), count in rows.items():
        if count > 1:
            report.add(
                'box twice',
                f'{item.image_id}: {names[label - 1]} {box} is there {count} '
                'times; keep one',
            )
    boxes = pixel_boxes(item.boxes, item.size)
    sides = boxes[:, 2:] - boxes[:, :2]
    for label in set(item.labels.tolist()):
        figures = report.classes[names[label - 1]]
        own = sides[item.labels == label]
        figures.images += 1
        figures.boxes += len(own)
        figures.thin += int((own < MIN_SIDE).any(1).sum())
        figures.sides += np.sqrt(own.prod(1)).tolist()


def _check_label_folder(
    folder: Path, image_ids: Sequence[str], report: DatasetReport
) -> set[str]:
    """Compare a folder with its records; the images whose label is bad."""
    try:
        bad = check_label_folder(folder, image_ids, list(report.classes))
    except StoreError as error:
        report.add('label folder', str(error))
        return set()
    for text in bad.values():
        report.add('label', text)
    if (folder / MANIFEST).exists():
        for text in verify_pseudo_labels(folder, skip=set(image_ids)):
            report.add('label folder', text)
    return set(bad)


def _check_label(
    item: BoxAnnotations, label_dir: Path, report: DatasetReport
) -> None:
    path = label_dir / f'{item.image_id}.png'
    names = list(report.classes)
    try:
        label = read_label_png(path, len(names) + 1)
    except (FileNotFoundError, ValueError) as error:
        report.add('label', str(error))
        return
    if label.shape != tuple(item.size):
        report.add(
            'label',
            f'{path}: is {label.shape[1]} x {label.shape[0]} px, its image '
            f'{item.size[1]} x {item.size[0]}; make it again',
        )
        return
    inside = np.zeros(label.shape, bool)
    for box, number in zip(
        pixel_boxes(item.boxes, item.size).tolist(), item.labels, strict=True
    ):
        x1, y1, x2, y2 = box
        part = label[y1:y2, x1:x2]
        inside[y1:y2, x1:x2] |= part == number
        known = part != IGNORE
        if known.any():
            rate = float((part[known] == number).mean())
            report.classes[names[number - 1]].filling_rates.append(rate)
    unboxed = label[(label != 0) & (label != IGNORE) & ~inside]
    for number, pixels in zip(
        *np.unique(unboxed, return_counts=True), strict=True
    ):
        if pixels > _UNBOXED * label.size:
            report.add(
                'label outside boxes',
                f'{path}: {pixels / label.size:.0%} of the image are '
                f'{names[number - 1]} outside every box of it; add the box or '
                'correct the label',
            )


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
