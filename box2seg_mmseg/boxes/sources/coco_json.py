"""Boxes from COCO's instance annotations."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...id_lists import find_repeated
from ...option import Option
from ..box_annotations import AnnotationError, BoxAnnotations, shown
from ..reading import BoxCollector, ReadingReport, counting_clipped
from .base import BOX_SOURCES, BoxSource, find_file
from .coco_file import (
    coco_entries,
    coco_id,
    coco_image_id,
    coco_image_size,
    coco_known,
    coco_labels,
    coco_places,
    numbers,
    read_json,
)

_BOX_FILE = Option(
    'box_file', str, 'the JSON file (default: boxes.json)', '--boxes'
)


@BOX_SOURCES.register_module()
class COCOJSON(BoxSource):
    """COCO's format: one JSON file with the boxes of all images.

    ``bbox`` is xywh in pixels, 0-based. Masks in the file are not kept in
    memory. ``iscrowd`` becomes the flag ``crowd``. The id of an image is its
    ``file_name`` without suffix; its number and the ids of the boxes are kept
    too.

    Args:
        data_root: As for :class:`BoxSource`, like ``classes``.
        image_dir: Folder that the ``file_name`` of the images is relative to.
        box_file: The JSON file: ``images``, ``annotations``, ``categories``.
    """

    format = 'coco'
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
        """Read the JSON file, then yield the images in the given order."""
        path = find_file(self.data_root, self.box_file, _BOX_FILE)
        content = read_json(path, with_masks=False)
        boxes = coco_entries(content, 'annotations', path)
        index = CocoIndex(path, content, self)
        report = report or ReadingReport()
        return counting_clipped(
            index.read(f'{path}: annotation', boxes, image_ids, report)
        )


class CocoIndex:
    """The images and classes of a COCO file, for a box source.

    Raises:
        AnnotationError: An image or a category lacks something, has the id of
            an earlier one or leaves the image folder.
    """

    def __init__(self, path: Path, content: Any, source: BoxSource) -> None:
        self.path = path
        self.image_dir = source.image_dir
        self.labels = coco_labels(content, path, source.classes)
        self.names = {c['id']: c['name'] for c in content['categories']}
        self.images: dict[str, Mapping[str, Any]] = {}
        self.known: set[str | int] = set()
        for where, entry in coco_places(content, 'images', path):
            self.known.add(coco_id(entry, where, self.known))
            image_id = coco_image_id(entry, where)
            if image_id in self.images:
                raise AnnotationError(f'{where}: a second image {image_id}')
            self.images[image_id] = entry

    def read(
        self,
        name: str,
        entries: list,
        image_ids: Iterable[str],
        report: ReadingReport,
        score_threshold: float | None = None,
    ) -> Iterator[BoxAnnotations]:
        """Read the boxes of some images, as :meth:`BoxSource.read`.

        ``entries`` are the boxes of all images. With ``score_threshold`` each
        has a score, and those below it are left out but count as used;
        without, it may be a crowd. ``name`` begins the error messages: the
        file, and what one entry is called.

        If two boxes have one id, no box keeps its id, with a warning.
        """
        has_scores = score_threshold is not None
        wanted = {}
        for image_id in image_ids:
            if image_id in self.images:
                wanted[image_id] = self.images[image_id]
                continue
            text = (
                f'{self.path}: no image {image_id}; remove it from the split'
            )
            report.bad_image(AnnotationError(text))
        by_image: dict[Any, list[int]] = {e['id']: [] for e in wanted.values()}
        for i, entry in enumerate(entries):
            report.num_read += 1
            where = f'{name} {i + 1}'
            try:
                image = coco_known(
                    entry, 'image_id', self.known, where, self.path
                )
                category = coco_known(
                    entry, 'category_id', self.labels, where, self.path
                )
            except AnnotationError as error:
                report.bad(error)
                continue
            if image not in by_image:
                report.num_other_images += 1
            elif not self.labels[category]:
                report.other_class(str(self.names[category]), where)
            else:
                by_image[image].append(i)
        wanted_ids = (
            entries[i].get('id') for own in by_image.values() for i in own
        )
        twice = find_repeated(k for k in wanted_ids if type(k) in (int, str))
        if twice is not None:
            warnings.warn(
                f'{name}s: two have the id {twice}, so boxes are known by '
                'their numbers in the image instead of their ids; renumber '
                'them to keep ids',
                stacklevel=2,
            )
        for image_id, image in wanted.items():
            own = by_image[image['id']]
            try:
                size = coco_image_size(image, f'{self.path}: image {image_id}')
            except AnnotationError as error:
                if not own:
                    report.bad_image(error)
                for i in own:
                    report.bad(AnnotationError(f'{name} {i + 1}: {error}'))
                continue
            collector = BoxCollector(
                image_id,
                self.image_dir / image['file_name'],
                size,
                [] if has_scores else ['crowd'],
                has_scores,
                image['id'],
            )
            for i in own:
                entry, where = entries[i], f'{name} {i + 1}'
                with report.entry():
                    given = entry.get('bbox')
                    x, y, width, height = numbers(given, 4, f'{where}: bbox')
                    score, flags = None, []
                    if not has_scores:
                        flags = [_crowd(entry.get('iscrowd', 0), where)]
                    else:
                        score = entry.get('score')
                        (score,) = numbers([score], 1, f'{where}: score')
                        # As float32, as BoxAnnotations stores it.
                        if (
                            0
                            <= np.float32(score)
                            < np.float32(score_threshold)
                        ):
                            continue
                    collector.add(
                        (x, y, x + width, y + height),
                        self.labels[entry['category_id']],
                        where,
                        score=score,
                        flags=flags,
                        given=f'bbox {given}',
                        box_id=None if twice is not None else entry.get('id'),
                    )
            yield collector.collect()


def _crowd(value: Any, where: str) -> bool:
    if value not in (0, 1):
        raise AnnotationError(
            f'{where}: iscrowd must be 0 or 1. Got: {shown(value)}'
        )
    return bool(value)
