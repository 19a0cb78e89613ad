"""The readers of COCO's JSON: annotations, and detectors' results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import BoxCollector, ReadingReport, counting_clipped
from ..voc_classes import VOC_CLASSES
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


def iter_coco_json(
    json_path: str | Path,
    image_root: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str] = VOC_CLASSES,
    report: ReadingReport | None = None,
) -> Iterator[BoxAnnotations]:
    """Read the boxes of a split from a COCO instance annotation file.

    ``bbox`` is xywh in pixels, 0-based. Masks in the file are dropped while
    it is read. Boxes of other classes are left out; ``iscrowd`` is kept as
    the flag ``crowd``. Boxes that reach outside their image are clipped, with
    one warning.

    Args:
        json_path: The file: ``images``, ``annotations``, ``categories``.
        image_root: Folder that the ``file_name`` of the images begins at.
        image_ids: The images wanted: their ``file_name`` without suffix.
        classes: Names of the foreground classes; the first has label 1. With
            VOC's classes, COCO's names for them are understood too.
        report: Counts the boxes, and says whether bad ones are skipped; by
            default they are not.

    Yields:
        The boxes of each image, in the order of ``image_ids``.

    Raises:
        AnnotationError: The file is missing or no COCO annotation file, an
            image is not in it or leaves the image folder, or an annotation is
            bad. The message names file, annotation and value.
    """
    report = ReadingReport() if report is None else report
    index = read_json(json_path, _drop_mask)
    boxes = coco_entries(index, 'annotations', json_path)
    return counting_clipped(
        _iter_images(
            _Index(json_path, index, image_root, classes),
            (json_path, 'annotation', boxes),
            image_ids,
            report,
        )
    )


def iter_coco_results(
    results_path: str | Path,
    index_path: str | Path,
    image_root: str | Path,
    image_ids: Iterable[str],
    classes: Sequence[str] = VOC_CLASSES,
    score_threshold: float = 0.0,
    nms_iou: float | None = None,
    report: ReadingReport | None = None,
) -> Iterator[BoxAnnotations]:
    """Read the boxes that a detector found, in COCO's results format.

    Args:
        results_path: A list of ``image_id``, ``category_id``, ``bbox`` (xywh
            in pixels, 0-based) and ``score``.
        index_path: The COCO file whose ``images`` and ``categories`` the
            results refer to; it needs no annotations.
        image_root: Folder that the ``file_name`` of the images begins at.
        image_ids: The images wanted: their ``file_name`` without suffix.
        classes: As for :func:`iter_coco_json`.
        score_threshold: Detections below it are left out; in ``[0, 1]``.
        nms_iou: Of detections of one class whose IoU is above it, the best
            alone stays; None keeps all.
        report: Counts the detections, and says whether bad ones are skipped.
            What threshold and NMS leave out was used.

    Yields:
        The boxes of each image with their scores, in the order of
        ``image_ids``.

    Raises:
        AnnotationError: As :func:`iter_coco_json`, or a score is not in
            ``[0, 1]``.
    """
    report = ReadingReport() if report is None else report
    results = read_json(results_path, _drop_mask)
    if not isinstance(results, list):
        raise AnnotationError(
            f'{results_path}: results must be a list. '
            f'Got: {type(results).__name__}'
        )
    annotations = _iter_images(
        _Index(
            index_path, read_json(index_path, _drop_mask), image_root, classes
        ),
        (results_path, 'detection', results),
        image_ids,
        report,
        has_scores=True,
    )
    return counting_clipped(
        select_detections(item, score_threshold, nms_iou)
        for item in annotations
    )


def select_detections(
    detections: BoxAnnotations,
    score_threshold: float,
    nms_iou: float | None = None,
) -> BoxAnnotations:
    """Leave out detections of low scores and, by class, repeated ones.

    Args:
        detections: Boxes with scores.
        score_threshold: Scores below it are left out.
        nms_iou: As for :func:`iter_coco_results`.

    Returns:
        The others, in the order given.
    """
    keep = np.flatnonzero(detections.scores >= np.float32(score_threshold))
    if nms_iou is not None and len(keep):
        boxes = detections.boxes[keep].astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        chosen = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(),
            detections.scores[keep].tolist(),
            detections.labels[keep].tolist(),
            -1.0,  # scores of 0 stay
            nms_iou,
        )
        keep = keep[np.sort(np.asarray(chosen, np.int64).reshape(-1))]
    return detections.take(keep)


class _Index:
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
        self.images: dict[str, Mapping[str, Any]] = {}
        self.known: set[str | int] = set()
        for where, entry in coco_places(index, 'images', path):
            self.known.add(coco_id(entry, where, self.known))
            image_id = coco_image_id(entry, where)
            if image_id in self.images:
                raise AnnotationError(f'{where}: a second image {image_id}')
            self.images[image_id] = entry


def _iter_images(
    index: _Index,
    entries: tuple[str | Path, str, list],
    image_ids: Iterable[str],
    report: ReadingReport,
    has_scores: bool = False,
) -> Iterator[BoxAnnotations]:
    path, kind, boxes = entries
    wanted = {}
    for image_id in image_ids:
        if image_id in index.images:
            wanted[image_id] = index.images[image_id]
        else:
            report.num_read += 1
            report.bad(
                AnnotationError(
                    f'{index.path}: no image {image_id}; take it out of the '
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
            report.num_other_classes += 1
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


def _drop_mask(entry: dict) -> dict:
    entry.pop('segmentation', None)
    return entry
