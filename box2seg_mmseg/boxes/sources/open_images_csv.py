"""The reader of OpenImages' box CSV, which may be larger than memory."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ...files import PILLOW_ERRORS
from ..box_annotations import AnnotationError, BoxAnnotations
from ..class_maps import (
    OPEN_IMAGES_TO_VOC,
    labels_of_names,
    warn_of_absent_classes,
)
from ..reading import BoxCollector, ReadingReport, counting_clipped, image_name
from ..voc_classes import VOC_CLASSES

_COLUMNS = ('ImageID', 'LabelName', 'XMin', 'YMin', 'XMax', 'YMax')
_FLAGS = {
    'IsOccluded': 'occluded',
    'IsTruncated': 'truncated',
    'IsGroupOf': 'group_of',
    'IsDepiction': 'depiction',
    'IsInside': 'inside',
}
_Row = tuple[str, list[str]]  # file and line, values


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
    opened for its size. The rows of an image stand together in OpenImages'
    files; memory grows with the split, not with the file. ``IsOccluded``,
    ``IsTruncated``, ``IsGroupOf``, ``IsDepiction`` and ``IsInside`` are kept
    as flags (``occluded``, ``truncated``, ``group_of``, ``depiction``,
    ``inside``; a value of -1, unknown, is False). Boxes of other classes are
    left out.

    Args:
        csv_path: Such as ``oidv6-train-annotations-bbox.csv``.
        descriptions_path: Such as ``oidv7-class-descriptions-boxable.csv``:
            a label and its name a line.
        image_root: Folder of the images.
        image_ids: The images wanted, without suffix.
        classes: Names of the foreground classes; the first has label 1. With
            VOC's classes, OpenImages' names for them are understood too; see
            :data:`OPEN_IMAGES_TO_VOC`.
        image_suffix: Suffix of the image files.
        report: Counts the rows, and says whether bad ones are skipped; by
            default they are not.
        whole_only: Leave out an image, with all its boxes, if one of its
            rows is skipped.

    Yields:
        The boxes of each image in the order of the file, then the images
        without a row.

    Raises:
        AnnotationError: A file is missing or of another format, the rows of
            an image do not stand together, or a row or image is bad. The
            message names file, line and value.
    """
    report = ReadingReport() if report is None else report
    return counting_clipped(
        _iter_images(
            _Table(Path(csv_path), _COLUMNS),
            _labels(descriptions_path, classes),
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
    """Look through OpenImages' CSV without opening an image.

    Memory does not grow with the file.

    Args:
        csv_path: As for :func:`iter_open_images_csv`.
        descriptions_path: As for :func:`iter_open_images_csv`.
        classes: As for :func:`iter_open_images_csv`.
        report: Counts the rows, and says whether bad ones are skipped; by
            default they are not.
        flags: Names of flags that the file must have.

    Yields:
        Each image that has a box of the classes, in the order of the file.

    Raises:
        AnnotationError: A file is missing or of another format, a flag has
            no column, or a row is bad.
    """
    report = ReadingReport() if report is None else report
    table = _Table(Path(csv_path), _COLUMNS)
    labels = _labels(descriptions_path, classes)
    place = table.place
    for name, flag in _FLAGS.items():
        if flag in flags and name not in place:
            raise AnnotationError(
                f'{csv_path}: no column {name}, so no box is known to be '
                f'{flag}; get the whole file, or ask for no flag (--bad with '
                'nothing)'
            )
    places = {flag: place[n] for n, flag in _FLAGS.items() if n in place}
    for image_id, group in _groups(table, report):
        rows = ImageRows(image_id, [], [], [])
        for where, row in _of_classes(group, table, labels, report):
            with report.entry():
                x1, y1, x2, y2 = _corners(
                    [row[place[name]] for name in _COLUMNS[2:]], where
                )
                rows.labels.append(labels[row[place['LabelName']]])
                rows.areas.append((x2 - x1) * (y2 - y1))
                rows.flags.append(
                    {flag for flag, i in places.items() if row[i] == '1'}
                )
        if rows.labels:
            yield rows


def _iter_images(
    table: '_Table',
    labels: Mapping[str, int],
    image_root: Path,
    image_ids: Iterable[str],
    image_suffix: str,
    report: ReadingReport,
    whole_only: bool,
) -> Iterator[BoxAnnotations]:
    flags = [name for name in _FLAGS if name in table.place]
    for image_id, rows in _rows_by_image(table, labels, image_ids, report):
        path = image_root / f'{image_id}{image_suffix}'
        try:
            image_name(image_id, 'split')
            height, width = size = _image_size(path)
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
            given = [row[table.place[name]] for name in _COLUMNS[2:]]
            with report.entry():
                x1, y1, x2, y2 = _corners(given, where)
                collector.add(
                    (x1 * width, y1 * height, x2 * width, y2 * height),
                    labels[row[table.place['LabelName']]],
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


def _rows_by_image(
    table: '_Table',
    labels: Mapping[str, int],
    image_ids: Iterable[str],
    report: ReadingReport,
) -> Iterator[tuple[str, list[_Row]]]:
    """The rows of each image that are of a class asked for."""
    left = dict.fromkeys(image_ids)
    begun: set[str] = set()
    for image_id, group in _groups(table, report):
        found = list(group)
        if image_id in begun:
            raise AnnotationError(
                f'{found[0][0]}: the rows of image {image_id} do not stand '
                'together; sort the file by ImageID'
            )
        if image_id not in left:
            report.num_other_images += len(found)
            continue
        begun.add(image_id)
        del left[image_id]
        yield image_id, list(_of_classes(found, table, labels, report))
    for image_id in left:
        yield image_id, []


def _groups(
    table: '_Table', report: ReadingReport
) -> Iterator[tuple[str, Iterator[_Row]]]:
    """The rows that stand together and are of one image."""
    image_of = itemgetter(table.place['ImageID'])
    return groupby(table.rows(report), lambda row: image_of(row[1]))


def _of_classes(
    rows: Iterable[_Row],
    table: '_Table',
    labels: Mapping[str, int],
    report: ReadingReport,
) -> Iterator[_Row]:
    """The rows that are of a class asked for; the others are counted."""
    for where, row in rows:
        if row[table.place['LabelName']] in labels:
            yield where, row
        else:
            report.num_other_classes += 1


class _Table:
    """A CSV file: its columns' places, its rows one by one.

    ``damaged`` has the images that a row was skipped of.
    """

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        self._path = path
        self.damaged: set[str] = set()
        header = next(_lines(self._path), (0, []))[1] or []
        self.place = {name: i for i, name in enumerate(header)}
        for name in columns:
            if name not in self.place:
                raise AnnotationError(
                    f'{path}: no column {name}; its header is '
                    f'{",".join(header)}'
                )

    def rows(self, report: ReadingReport) -> Iterator[_Row]:
        """All rows but the header that have a value for each column."""
        lines = _lines(self._path)
        next(lines)
        for line, row in lines:
            report.num_read += 1
            where = f'{self._path}, line {line}'
            if row is not None and len(row) == len(self.place):
                yield where, row
                continue
            report.bad(
                AnnotationError(
                    f'{where}: needs {len(self.place)} values. Got: {row}'
                )
            )
            at = self.place['ImageID']
            self.damaged.update((row or [])[at : at + 1])


def _lines(path: Path) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and values, which are None where csv can not read them."""
    try:
        with path.open(
            encoding='utf-8-sig', errors='replace', newline=''
        ) as file:
            reader = csv.reader(file)
            while True:
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    row = None
                if row != []:
                    yield reader.line_num, row
    except OSError as error:
        raise AnnotationError(
            f'{path}: can not be read: {error.strerror}'
        ) from None


def _labels(
    descriptions_path: str | Path, classes: Sequence[str]
) -> dict[str, int]:
    """The labels of OpenImages' codes, such as ``/m/01g317``."""
    names = labels_of_names(classes, OPEN_IMAGES_TO_VOC)
    labels = {
        row[0]: names[row[1]]
        for _, row in _lines(Path(descriptions_path))
        if row is not None and len(row) == 2 and row[1] in names
    }
    if not labels:
        raise AnnotationError(
            f'{descriptions_path}: describes none of {", ".join(classes)}; '
            'needs a code and a name a line'
        )
    warn_of_absent_classes(descriptions_path, classes, labels.values())
    return labels


def _image_size(path: Path) -> tuple[int, int]:
    """``(H, W)`` as OpenCV loads it, which turns it as EXIF says."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            width, height = image.size
    except PILLOW_ERRORS as error:
        raise AnnotationError(
            f'{path}: missing or not an image; put it there or take it out '
            f'of the split: {type(error).__name__}'
        ) from None
    return (width, height) if turned else (height, width)


def _corners(given: Sequence[str], where: str) -> list[float]:
    try:
        x1, y1, x2, y2 = corners = [float(text) for text in given]
    except ValueError:
        raise AnnotationError(
            f'{where}: XMin, YMin, XMax, YMax must be numbers. '
            f'Got: {", ".join(given)}'
        ) from None
    if not (x1 < x2 and y1 < y2):  # nor is NaN
        raise AnnotationError(
            f'{where}: needs x1 < x2 and y1 < y2. '
            f'Got: XMin, YMin, XMax, YMax {", ".join(given)}'
        )
    return corners
