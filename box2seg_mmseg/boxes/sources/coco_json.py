"""Boxes from COCO's instance annotations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import BoxCollector, ReadingReport, counting_clipped
from ..voc_classes import VOC_CLASSES
from .base import BOX_SOURCES, BoxOption, BoxSource, find_file
from .coco_file import (
    coco_entries,
    coco_id,
    coco_image_id,
    coco_image_size,
    coco_labels,
    coco_places,
    coco_value,
    numbers,
    read_json,
)

_BOX_FILE = BoxOption(
    '--boxes',
    'box_file',
    'the JSON file (default: boxes.json)',
    metavar='FILE',
)


@BOX_SOURCES.register_module()
class COCOJSON(BoxSource):
    """COCO's format: one JSON file with the boxes of all images.

    Args:
        data_root: Folder of the data set.
        classes: Names of the foreground classes; the first has label 1.
            Boxes of other categories are left out. Defaults to VOC's 20,
            which may have COCO's names in the file.
        image_dir: Folder that the ``file_name`` of the images is relative to.
        box_file: The JSON file.
    """

    format = 'coco'
    summary = 'COCO instance JSON'
    options = (_BOX_FILE,)

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
        box_file: str | Path = 'boxes.json',
    ) -> None:
        super().__init__(data_root, classes, image_dir)
        self.box_file = box_file

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the JSON file; see :func:`iter_coco_json`."""
        return iter_coco_json(
            find_file(self.data_root, self.box_file, _BOX_FILE),
            self.image_dir,
            image_ids,
            self.classes,
            report,
        )


def iter_coco_json(
    json_path: str | Path,
    image_root: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str] = VOC_CLASSES,
    report: ReadingReport | None = None,
) -> Iterator[BoxAnnotations]:
    """Read the boxes of a split from a COCO instance annotation file.

    ``bbox`` is xywh in pixels, 0-based. Masks in the file are not kept in
    memory. Boxes of other classes are left out; ``iscrowd`` becomes the flag
    ``crowd``. Boxes that reach outside their image are clipped, with one
    warning.

    Args:
        json_path: The file: ``images``, ``annotations``, ``categories``.
        image_root: Folder that the ``file_name`` of the images is relative
            to.
        image_ids: The images to read: their ``file_name`` without suffix.
        classes: Names of the foreground classes; the first has label 1. With
            VOC's classes, COCO's names for them are understood too.
        report: Counts the boxes and says whether to skip bad ones; by
            default the first bad one raises its error.

    Yields:
        The boxes of each image, in the order of ``image_ids``.

    Raises:
        AnnotationError: The file is missing or not a COCO annotation file,
            an image is not in it or leaves the image folder, or an annotation
            is bad. The message names file, annotation and value.
    """
    report = ReadingReport() if report is None else report
    index = read_json(json_path, drop_mask)
    boxes = coco_entries(index, 'annotations', json_path)
    return counting_clipped(
        iter_coco_images(
            CocoIndex(json_path, index, image_root, classes),
            (json_path, 'annotation', boxes),
            image_ids,
            report,
        )
    )


class CocoIndex:
    """The images and classes of a COCO file."""

    def __init__(
        self,
        path: str | Path,
        index: Any,
        image_root: str | Path,
        classes: Sequence[str],
    ) -> None:
        self.path = path
        self.image_root = Path(image_root)
        self.labels = coco_labels(index, path, classes)
        self.names = {c['id']: c['name'] for c in index['categories']}
        self.images: dict[str, Mapping[str, Any]] = {}
        self.known: set[str | int] = set()
        for where, entry in coco_places(index, 'images', path):
            self.known.add(coco_id(entry, where, self.known))
            image_id = coco_image_id(entry, where)
            if image_id in self.images:
                raise AnnotationError(f'{where}: a second image {image_id}')
            self.images[image_id] = entry


def iter_coco_images(
    index: CocoIndex,
    entries: tuple[str | Path, str, list],
    image_ids: Iterable[str],
    report: ReadingReport,
    has_scores: bool = False,
) -> Iterator[BoxAnnotations]:
    """Read the boxes of some images; shared with the results of detectors.

    Args:
        index: The images and classes.
        entries: The file of the boxes, what messages call an entry of it, and
            its entries.
        image_ids: The images to read.
        report: Counts the entries and says whether to skip bad ones.
        has_scores: Whether each box needs a score.

    Yields:
        The boxes of each image, in the order of ``image_ids``.

    Raises:
        AnnotationError: An image is not in the index, or an entry is bad.
    """
    path, kind, boxes = entries
    wanted = {}
    for image_id in image_ids:
        if image_id in index.images:
            wanted[image_id] = index.images[image_id]
        else:
            report.num_read += 1
            report.bad(
                AnnotationError(
                    f'{index.path}: no image {image_id}; remove it from the '
                    'split'
                )
            )
    by_image: dict[Any, list[int]] = {e['id']: [] for e in wanted.values()}
    for i, entry in enumerate(boxes):
        report.num_read += 1
        where = f'{path}: {kind} {i + 1}'
        try:
            image = coco_value(entry, 'image_id', where)
            if image not in index.known:
                raise AnnotationError(
                    f'{where}: image_id is not in {index.path}. Got: {image}'
                )
            category = coco_value(entry, 'category_id', where)
            if category not in index.labels:
                raise AnnotationError(
                    f'{where}: category_id is not in {index.path}. '
                    f'Got: {category}'
                )
        except AnnotationError as error:
            report.bad(error)
            continue
        if image not in by_image:
            report.num_other_images += 1
        elif not index.labels[category]:
            report.other_class(str(index.names[category]), where)
        else:
            by_image[image].append(i)
    for image_id, image in wanted.items():
        try:
            size = coco_image_size(image, f'{index.path}: image {image_id}')
        except AnnotationError as error:
            report.num_read += 1
            report.bad(error)
            continue
        collector = BoxCollector(
            image_id,
            index.image_root / image['file_name'],
            size,
            [] if has_scores else ['crowd'],
            has_scores,
        )
        for i in by_image[image['id']]:
            entry, where = boxes[i], f'{path}: {kind} {i + 1}'
            with report.entry():
                given = entry.get('bbox')
                x, y, width, height = numbers(given, 4, f'{where}: bbox')
                score = None
                if has_scores:
                    (score,) = numbers(
                        [entry.get('score')], 1, f'{where}: score'
                    )
                collector.add(
                    (x, y, x + width, y + height),
                    index.labels[entry['category_id']],
                    where,
                    score=score,
                    flags=[] if has_scores else [entry.get('iscrowd', 0)],
                    given=f'bbox {given}',
                )
        yield collector.collect()


def drop_mask(entry: dict) -> dict:
    """Remove the mask of an entry while its file is read, to save memory."""
    entry.pop('segmentation', None)
    return entry
