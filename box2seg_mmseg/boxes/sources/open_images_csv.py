"""Boxes from OpenImages' CSV, which may be larger than memory."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import (
    BoxCollector,
    ReadingReport,
    counting_clipped,
    image_name,
    read_image_size,
)
from ..voc_classes import VOC_CLASSES
from .base import (
    BOX_SOURCES,
    IMAGE_SUFFIX,
    BoxOption,
    BoxSource,
    dotted,
    find_file,
)
from .open_images_table import Table, corner_numbers

_FLAGS = {
    'IsOccluded': 'occluded',
    'IsTruncated': 'truncated',
    'IsGroupOf': 'group_of',
    'IsDepiction': 'depiction',
    'IsInside': 'inside',
}


_BOX_FILE = BoxOption(
    '--boxes',
    'box_file',
    'the CSV file (default: the one *annotations-bbox*.csv)',
    metavar='FILE',
)
_INDEX_FILE = BoxOption(
    '--index',
    'index_file',
    'the class descriptions (default: the one *class-descriptions*.csv)',
    metavar='FILE',
)


@BOX_SOURCES.register_module()
class OpenImagesCSV(BoxSource):
    """OpenImages' format: one CSV file with the boxes of all images.

    Args:
        data_root: Folder of the data set.
        classes: Names of the foreground classes; the first has label 1.
            Boxes of other classes are left out. Defaults to VOC's 20, which
            may have OpenImages' names.
        image_dir: Folder of the images.
        box_file: The CSV file. Defaults to the one ``*annotations-bbox*.csv``
            in ``data_root``.
        index_file: The class descriptions. Defaults to the one
            ``*class-descriptions*.csv`` in ``data_root``.
        image_suffix: Suffix of the image files.
    """

    format = 'openimages'
    summary = "OpenImages' box CSV"
    options = (_BOX_FILE, _INDEX_FILE, IMAGE_SUFFIX)

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
        box_file: str | Path | None = None,
        index_file: str | Path | None = None,
        image_suffix: str = '.jpg',
    ) -> None:
        super().__init__(data_root, classes, image_dir)
        self.box_file = box_file
        self.index_file = index_file
        self.image_suffix = dotted(image_suffix)

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the CSV file; see :func:`iter_open_images_csv`."""
        root = self.data_root
        return iter_open_images_csv(
            find_file(
                root, self.box_file, _BOX_FILE, '*annotations-bbox*.csv'
            ),
            find_file(
                root, self.index_file, _INDEX_FILE, '*class-descriptions*.csv'
            ),
            self.image_dir,
            image_ids,
            self.classes,
            image_suffix=self.image_suffix,
            report=report,
        )


def iter_open_images_csv(
    csv_path: str | Path,
    descriptions_path: str | Path,
    image_root: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str] = VOC_CLASSES,
    image_suffix: str = '.jpg',
    report: ReadingReport | None = None,
    whole_only: bool = False,
) -> Iterator[BoxAnnotations]:
    """Read the boxes of a split from OpenImages' CSV, row by row.

    Corners are shares of the image's width and height, so each image is
    opened to get its size. The rows of an image must be next to each other,
    as in OpenImages' files; memory grows with the split, not with the file.
    ``IsOccluded``, ``IsTruncated``, ``IsGroupOf``, ``IsDepiction`` and
    ``IsInside`` become flags (``occluded``, ``truncated``, ``group_of``,
    ``depiction``, ``inside``; a value of -1, unknown, is False). Boxes of
    other classes are left out.

    Args:
        csv_path: Such as ``oidv6-train-annotations-bbox.csv``.
        descriptions_path: Such as ``oidv7-class-descriptions-boxable.csv``:
            a code and a class name on each line.
        image_root: Folder of the images.
        image_ids: The images to read, without suffix.
        classes: Names of the foreground classes; the first has label 1. With
            VOC's classes, OpenImages' names for them are understood too; see
            :data:`OPEN_IMAGES_TO_VOC`.
        image_suffix: Suffix of the image files.
        report: Counts the rows and says whether to skip bad ones; by default
            the first bad one raises its error.
        whole_only: Leave out an image, with all its boxes, if one of its
            rows is skipped.

    Yields:
        The boxes of each image in the order of the file, then the images
        without a row.

    Raises:
        AnnotationError: A file is missing or has another format, the rows of
            an image are not next to each other, or a row or image is bad. The
            message names file, line and value.
    """
    report = ReadingReport() if report is None else report
    return counting_clipped(
        _iter_images(
            Table(csv_path, descriptions_path, classes),
            Path(image_root),
            image_ids,
            image_suffix,
            report,
            whole_only,
        )
    )


class ImageRows(NamedTuple):
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


def iter_open_images_rows(
    csv_path: str | Path,
    descriptions_path: str | Path,
    classes: Sequence[str] = VOC_CLASSES,
    report: ReadingReport | None = None,
    flags: Iterable[str] = (),
) -> Iterator[ImageRows]:
    """Read OpenImages' CSV without opening an image.

    Memory does not grow with the file.

    Args:
        csv_path: As for :func:`iter_open_images_csv`.
        descriptions_path: As for :func:`iter_open_images_csv`.
        classes: As for :func:`iter_open_images_csv`.
        report: Counts the rows and says whether to skip bad ones; by default
            the first bad one raises its error.
        flags: Names of flags that the file must have.

    Yields:
        Each image that has a box of the classes, in the order of the file.

    Raises:
        AnnotationError: A file is missing or has another format, a flag has
            no column, or a row is bad.
    """
    report = ReadingReport() if report is None else report
    table = Table(csv_path, descriptions_path, classes)
    place = table.place
    for name, flag in _FLAGS.items():
        if flag in flags and name not in place:
            raise AnnotationError(
                f'{csv_path}: no column {name}, so no box is known to be '
                f'{flag}; use the complete file, or ask for no flag (--bad '
                'without a value)'
            )
    places = {flag: place[n] for n, flag in _FLAGS.items() if n in place}
    for image_id, group in table.groups(report):
        rows = ImageRows(image_id, [], [], [])
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


def _iter_images(
    table: Table,
    image_root: Path,
    image_ids: Iterable[str],
    image_suffix: str,
    report: ReadingReport,
    whole_only: bool,
) -> Iterator[BoxAnnotations]:
    flags = [name for name in _FLAGS if name in table.place]
    for image_id, rows in table.rows_of_images(image_ids, report):
        path = image_root / f'{image_id}{image_suffix}'
        try:
            image_name(image_id, 'split')
            height, width = size = read_image_size(path)
        except AnnotationError as error:
            if not rows:
                report.num_read += 1
                report.bad(error)
            for where, _ in rows:
                report.bad(AnnotationError(f'{where}: {error}'))
            continue
        num_skipped = len(report.skipped)
        collector = BoxCollector(
            image_id, path, size, [_FLAGS[name] for name in flags]
        )
        for where, row in rows:
            given = table.corners(row)
            with report.entry():
                x1, y1, x2, y2 = corner_numbers(given, where)
                collector.add(
                    (x1 * width, y1 * height, x2 * width, y2 * height),
                    table.label(row),
                    where,
                    flags=[row[table.place[name]] == '1' for name in flags],
                    given=f'XMin, YMin, XMax, YMax {", ".join(given)}',
                )
        is_whole = (
            len(report.skipped) == num_skipped
            and image_id not in table.damaged
        )
        if is_whole or not whole_only:
            yield collector.collect()
