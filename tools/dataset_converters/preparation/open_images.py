"""A balanced subset of OpenImages in VOC's layout."""

import heapq
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from box2seg_mmseg.boxes import (
    VOC_CLASSES,
    AnnotationError,
    BoxAnnotations,
    OpenImagesCSV,
    ReadingReport,
    write_voc_xml,
)
from box2seg_mmseg.boxes.sources.open_images_table import (
    FLAGS,
    Table,
    corner_numbers,
)
from box2seg_mmseg.files import replacing
from box2seg_mmseg.id_lists import write_lines


@dataclass(frozen=True)
class BoxFilter:
    """Which boxes, and which images, are good enough to train on.

    Args:
        flags: A box with one of them is bad: ``group_of`` (one box over
            several instances, error mode (i) of the supplement's Sec. 3
            [S]), ``depiction`` (a drawing), ``inside`` (seen from within),
            ``occluded``, ``truncated``.
        min_area: A box that covers less of its image is bad, in ``[0, 1]``.
        drop_images: Leave out an image that has a bad box. Otherwise the box
            alone goes, and its object becomes background, which is error
            mode (ii).
    """

    flags: Sequence[str] = ('group_of', 'depiction', 'inside')
    min_area: float = 0.0
    drop_images: bool = True

    def keep(
        self, areas: Sequence[float], flags: Sequence[set[str]]
    ) -> list[int]:
        """The boxes of an image that stay; none of an image that goes."""
        good = [
            i
            for i, (area, names) in enumerate(zip(areas, flags, strict=True))
            if area >= self.min_area and not names & set(self.flags)
        ]
        if self.drop_images and len(good) < len(areas):
            return []
        return good


@dataclass
class OpenImagesReport:
    """What was prepared.

    Args:
        images: Images by class, then their number under ``all``.
        boxes: Boxes by class.
        left_out: Images that have a box of the classes and were not good
            enough, or have a row that was skipped.
        absent: Images that are good enough and not in the image folder.
    """

    images: Counter = field(default_factory=Counter)
    boxes: Counter = field(default_factory=Counter)
    left_out: int = 0
    absent: int = 0


def prepare_open_images(
    csv_path: str | Path,
    descriptions_path: str | Path,
    image_root: str | Path,
    out_dir: str | Path,
    per_class: int | None = None,
    box_filter: BoxFilter = BoxFilter(),
    classes: Sequence[str] = VOC_CLASSES,
    seed: int = 0,
    reading: ReadingReport | None = None,
    progress: bool = False,
) -> OpenImagesReport:
    """Choose images and write their boxes as VOC's XML files.

    ``out_dir`` gets ``Annotations``, ``ImageSets/Segmentation/train.txt`` and
    ``JPEGImages``, a link to ``image_root``. The CSV is read twice, row by
    row; memory grows with the images chosen, not with the file.

    Args:
        csv_path: OpenImages' box CSV.
        descriptions_path: Its class descriptions.
        image_root: Folder of the images, ``<ImageID>.jpg``; those that are
            not there are left out.
        out_dir: Folder to write to.
        per_class: As many images of each class at most, drawn at random;
            None takes all.
        box_filter: Which boxes and images are good enough.
        classes: Names of the foreground classes; see
            :class:`OpenImagesCSV`.
        seed: Draws the images.
        reading: Counts the rows, and says whether bad ones are skipped. With
            ``box_filter.drop_images`` their images are left out.
        progress: Show progress bars on stderr.

    Returns:
        What was chosen.

    Raises:
        AnnotationError: As the reader, or the CSV has no column of a flag
            that ``box_filter`` asks for.
        ValueError: ``out_dir`` has images of its own, or no image is left.
    """
    image_root, out_dir = Path(image_root).resolve(), Path(out_dir)
    reading = ReadingReport() if reading is None else reading
    report = OpenImagesReport()
    link = out_dir / 'JPEGImages'
    if link.exists() and link.resolve() != image_root:
        raise ValueError(
            f'{link}: exists and is not a link to {image_root}; choose '
            'another --out'
        )
    rows = _rows(
        Table(csv_path, descriptions_path, classes), reading, box_filter.flags
    )
    bar = tqdm(rows, desc='choose', unit='image', disable=not progress)
    chosen = _choose(
        _good(bar, image_root, box_filter, report), per_class, seed
    )
    if not chosen:
        raise ValueError(
            f'{image_root}: has no image that {csv_path} has good boxes of'
        )
    (out_dir / 'Annotations').mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.unlink(missing_ok=True)  # to a folder that has been moved
        link.symlink_to(image_root)
    written = []
    again = ReadingReport(skip_bad=reading.skip_bad)
    source = OpenImagesCSV(
        image_root,
        classes,
        image_dir='',
        box_file=Path(csv_path).absolute(),
        index_file=Path(descriptions_path).absolute(),
    )
    annotations = source.read(chosen, again, box_filter.drop_images)
    for item in tqdm(
        annotations,
        desc='write',
        total=len(chosen),
        unit='image',
        disable=not progress,
    ):
        item = _filtered(item, box_filter)
        if not len(item.labels):
            continue  # its bad rows were skipped
        path = out_dir / f'Annotations/{item.image_id}.xml'
        with replacing(path) as part:
            write_voc_xml(part, item, classes, source='OpenImages')
        written.append(item.image_id)
        labels = item.labels.tolist()
        report.boxes.update(classes[label - 1] for label in labels)
        report.images.update(classes[label - 1] for label in set(labels))
    report.images['all'] = len(written)
    report.left_out += len(chosen) - len(written)
    # The images of these rows were not opened in the first reading.
    skipped = set(reading.skipped)
    found = [text for text in again.skipped if text not in skipped]
    reading.skipped += found
    reading.num_used -= len(found)
    split = out_dir / 'ImageSets/Segmentation/train.txt'
    write_lines(split, sorted(written))
    return report


class _ImageRows(NamedTuple):
    """The boxes of an image as the CSV has them, without its size.

    Args:
        image_id: Name of the image without suffix.
        labels: Class of each box, at least 1.
        areas: Share of the image that each box covers.
        flags: Names of the flags that each box has.
    """

    image_id: str
    labels: list[int]
    areas: list[float]
    flags: list[set[str]]


def _rows(
    table: Table, report: ReadingReport, flags: Iterable[str]
) -> Iterator[_ImageRows]:
    """Each image that has a box of the classes, without opening an image.

    Memory does not grow with the file.
    """
    for name, flag in FLAGS.items():
        if flag in flags and name not in table.place:
            raise AnnotationError(
                f'{table.path}: no column {name}, so no box is known to be '
                f'{flag}; use the complete file, or ask for no flag (--bad '
                'without a value)'
            )
    places = table.flags()
    for image_id, group in table.groups(report):
        rows = _ImageRows(image_id, [], [], [])
        for where, row in table.of_classes(group, report):
            with report.entry():
                x1, y1, x2, y2 = corner_numbers(table.corners(row), where)
                rows.labels.append(table.label(row))
                rows.areas.append((x2 - x1) * (y2 - y1))
                rows.flags.append(
                    {flag for flag, i in places.items() if row[i] == '1'}
                )
        if rows.labels:
            yield rows


def _good(
    images: Iterator[_ImageRows],
    image_root: Path,
    box_filter: BoxFilter,
    report: OpenImagesReport,
) -> Iterator[tuple[str, set[int]]]:
    """Id and classes of the images that can be trained on."""
    for image in images:
        keep = box_filter.keep(image.areas, image.flags)
        if not keep:
            report.left_out += 1
        elif not (image_root / f'{image.image_id}.jpg').exists():
            report.absent += 1
        else:
            yield image.image_id, {image.labels[i] for i in keep}


def _choose(
    images: Iterator[tuple[str, set[int]]], per_class: int | None, seed: int
) -> list[str]:
    """At most ``per_class`` random images of each class.

    An image's draw is a hash of its id, so it does not depend on the order
    of the file, and of each class only the best draws are kept.
    """
    if per_class is None:
        return [image_id for image_id, _ in images]
    heaps: dict[int, list[tuple[int, str]]] = {}
    for image_id, labels in images:
        draw = -zlib.crc32(f'{seed}:{image_id}'.encode())
        for label in labels:
            heap = heaps.setdefault(label, [])
            if len(heap) < per_class:
                heapq.heappush(heap, (draw, image_id))
            else:
                heapq.heappushpop(heap, (draw, image_id))
    return sorted({name for heap in heaps.values() for _, name in heap})


def _filtered(item: BoxAnnotations, box_filter: BoxFilter) -> BoxAnnotations:
    height, width = item.size
    sides = item.boxes[:, 2:] - item.boxes[:, :2]
    areas = sides.prod(1) / (height * width)
    flags = [
        {name for name, values in item.flags.items() if values[i]}
        for i in range(len(item.labels))
    ]
    # Rounding must not drop what was good by the file's own figures.
    return item.take(box_filter.keep((areas * (1 + 1e-5)).tolist(), flags))
