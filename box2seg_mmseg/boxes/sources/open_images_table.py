"""The rows of OpenImages' box CSV, read one by one."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ..box_annotations import AnnotationError
from ..classes import OPEN_IMAGES_TO_VOC, class_labels
from ..reading import ReadingReport

Row = tuple[str, list[str]]  # file and line, values
_CORNERS = ('XMin', 'YMin', 'XMax', 'YMax')
FLAGS = {
    'IsOccluded': 'occluded',
    'IsTruncated': 'truncated',
    'IsGroupOf': 'group_of',
    'IsDepiction': 'depiction',
    'IsInside': 'inside',
}
"""Columns of flags, and the names of the flags."""


class Table:
    """The box CSV and the descriptions of its class codes.

    Args:
        path: The box CSV.
        descriptions_path: A code and a class name on each line.
        classes: Names of the foreground classes; the first has label 1.

    Attributes:
        place: Index of each column by name.
        damaged: Images of which a row was skipped.

    Raises:
        AnnotationError: A file cannot be read, a column is missing or no
            class is described.
    """

    def __init__(
        self,
        path: str | Path,
        descriptions_path: str | Path,
        classes: Sequence[str],
    ) -> None:
        self.path = Path(path)
        self.damaged: set[str] = set()
        header = next(_lines(self.path), (0, []))[1] or []
        self.place = {name: i for i, name in enumerate(header)}
        for name in ('ImageID', 'LabelName', *_CORNERS):
            if header.count(name) != 1:
                problem = 'two columns' if name in header else 'no column'
                raise AnnotationError(
                    f'{path}: {problem} {name}; its header is '
                    f'{",".join(header)}'
                )
        self._names = _descriptions(Path(descriptions_path))
        self._labels = class_labels(
            self._names,
            classes,
            OPEN_IMAGES_TO_VOC,
            descriptions_path,
            'describes none of {}; needs a code and a name on each line',
        )

    def flags(self) -> dict[str, int]:
        """Index of each flag's column, by the name of the flag."""
        return {
            flag: self.place[name]
            for name, flag in FLAGS.items()
            if name in self.place
        }

    def label(self, row: list[str]) -> int:
        """The label of a row's class; 0 if it is not in ``classes``."""
        return self._labels.get(row[self.place['LabelName']], 0)

    def corners(self, row: list[str]) -> list[str]:
        """The corners as the file has them: x1, y1, x2, y2."""
        return [row[self.place[name]] for name in _CORNERS]

    def rows_of_images(
        self, image_ids: Iterable[str], report: ReadingReport
    ) -> Iterator[tuple[str, list[Row]]]:
        """The rows of each image that are of ``classes``.

        The images come in the order of the file, then those without a row.
        The rows of an image must be next to each other.
        """
        left = dict.fromkeys(image_ids)
        begun: set[str] = set()
        for image_id, group in self.groups(report):
            found = list(group)
            if image_id in begun:
                raise AnnotationError(
                    f'{found[0][0]}: the rows of image {image_id} do not '
                    'stand together; sort the file by ImageID'
                )
            if image_id not in left:
                report.num_other_images += len(found)
                continue
            begun.add(image_id)
            del left[image_id]
            yield image_id, list(self.of_classes(found, report))
        for image_id in left:
            yield image_id, []

    def groups(
        self, report: ReadingReport
    ) -> Iterator[tuple[str, Iterator[Row]]]:
        """Neighbouring rows of the same image."""
        image_of = itemgetter(self.place['ImageID'])
        return groupby(self._rows(report), lambda row: image_of(row[1]))

    def of_classes(
        self, rows: Iterable[Row], report: ReadingReport
    ) -> Iterator[Row]:
        """The rows that are of ``classes``; the others are counted."""
        for where, row in rows:
            if self.label(row):
                yield where, row
            else:
                code = row[self.place['LabelName']]
                report.other_class(self._names.get(code, code), where)

    def _rows(self, report: ReadingReport) -> Iterator[Row]:
        """All rows after the header that have a value for each column."""
        lines = _lines(self.path)
        next(lines)
        for line, row in lines:
            report.num_read += 1
            where = f'{self.path}, line {line}'
            if row is not None and len(row) == len(self.place):
                yield where, row
                continue
            text = f'{where}: needs {len(self.place)} values. Got: {row}'
            report.bad(AnnotationError(text))
            at = self.place['ImageID']
            self.damaged.update((row or [])[at : at + 1])


def corner_numbers(given: Sequence[str], where: str) -> list[float]:
    """The corners of a box that is not empty, as numbers: x1, y1, x2, y2."""
    names, got = ', '.join(_CORNERS), ', '.join(given)
    try:
        x1, y1, x2, y2 = numbers = [float(text) for text in given]
    except ValueError:
        raise AnnotationError(
            f'{where}: {names} must be numbers. Got: {got}'
        ) from None
    if not (x1 < x2 and y1 < y2):  # also refuses NaN
        raise AnnotationError(
            f'{where}: needs x1 < x2 and y1 < y2. Got: {names} {got}'
        )
    return numbers


def _descriptions(path: Path) -> dict[str, str]:
    """The class names by their codes."""
    names: dict[str, str] = {}
    for line, row in _lines(path):
        if row is None or len(row) != 2:
            raise AnnotationError(
                f'{path}, line {line}: needs a code and a name. Got: {row}'
            )
        code, name = row
        if names.setdefault(code, name) != name:
            raise AnnotationError(
                f'{path}, line {line}: {code} is described twice. '
                f'Got: {names[code]} and {name}'
            )
    return names


def _lines(path: Path) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and values; None in place of values that csv refuses."""
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
            f'{path}: cannot be read: {error.strerror}'
        ) from None
