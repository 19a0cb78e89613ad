"""Boxes from OpenImages' CSV, which may be larger than memory."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...option import Option
from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import (
    BoxCollector,
    ReadingReport,
    counting_clipped,
    image_name,
    read_image_size,
)
from .base import BOX_SOURCES, IMAGE_SUFFIX, BoxSource, dotted, find_file
from .open_images_table import Table, corner_numbers

_BOX_FILE = Option(
    'box_file',
    str,
    'the CSV file (default: the one *annotations-bbox*.csv)',
    '--boxes',
)
_INDEX_FILE = Option(
    'index_file',
    str,
    'the class descriptions (default: the one *class-descriptions*.csv)',
    '--index',
)


@BOX_SOURCES.register_module()
class OpenImagesCSV(BoxSource):
    """OpenImages' format: one CSV file with the boxes of all images.

    Corners are shares of the image's width and height, so each image is
    opened to get its size. The rows of an image must be next to each other,
    as in OpenImages' files; memory grows with the split, not with the file.
    ``IsOccluded``, ``IsTruncated``, ``IsGroupOf``, ``IsDepiction`` and
    ``IsInside`` become the flags ``occluded``, ``truncated``, ``group_of``,
    ``depiction`` and ``inside``; a value of -1, unknown, is False.

    Args:
        data_root: As for :class:`BoxSource`, like ``classes``, ``image_dir``.
            For VOC's classes see :data:`OPEN_IMAGES_TO_VOC`.
        box_file: Such as ``oidv6-train-annotations-bbox.csv``. Defaults to
            the one ``*annotations-bbox*.csv`` in ``data_root``.
        index_file: A code and a class name on each line, such as
            ``oidv7-class-descriptions-boxable.csv``. Defaults to the one
            ``*class-descriptions*.csv`` in ``data_root``.
        image_suffix: Suffix of the image files.
    """

    format = 'openimages'
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
        self,
        image_ids: Iterable[str],
        report: ReadingReport | None = None,
        whole_only: bool = False,
    ) -> Iterator[BoxAnnotations]:
        """Read the CSV file row by row.

        The images come in the order of the file, then those without a row.
        ``whole_only`` leaves out an image if one of its rows is skipped.
        """
        root = self.data_root
        table = Table(
            find_file(
                root, self.box_file, _BOX_FILE, '*annotations-bbox*.csv'
            ),
            find_file(
                root, self.index_file, _INDEX_FILE, '*class-descriptions*.csv'
            ),
            self.classes,
        )
        report = report or ReadingReport()
        return counting_clipped(
            annotations
            for annotations, is_whole in self._read(table, image_ids, report)
            if is_whole or not whole_only
        )

    def _read(
        self, table: Table, image_ids: Iterable[str], report: ReadingReport
    ) -> Iterator[tuple[BoxAnnotations, bool]]:
        """Each image, and whether none of its rows was skipped."""
        flags = table.flags()
        for image_id, rows in table.rows_of_images(image_ids, report):
            path = self.image_dir / f'{image_id}{self.image_suffix}'
            try:
                image_name(image_id, 'split')
                height, width = size = read_image_size(path)
            except AnnotationError as error:
                if not rows:
                    report.bad_image(error)
                for where, _ in rows:
                    report.bad(AnnotationError(f'{where}: {error}'))
                continue
            num_skipped = len(report.skipped)
            collector = BoxCollector(image_id, path, size, list(flags))
            for where, row in rows:
                given = table.corners(row)
                with report.entry():
                    x1, y1, x2, y2 = corner_numbers(given, where)
                    collector.add(
                        (x1 * width, y1 * height, x2 * width, y2 * height),
                        table.label(row),
                        where,
                        flags=[row[i] == '1' for i in flags.values()],
                        given=f'XMin, YMin, XMax, YMax {", ".join(given)}',
                    )
            yield (
                collector.collect(),
                len(report.skipped) == num_skipped
                and image_id not in table.damaged,
            )
