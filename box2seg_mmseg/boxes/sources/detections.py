"""Boxes that a detector found, from a file of COCO's results."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import ReadingReport, counting_clipped
from ..voc_classes import VOC_CLASSES
from .base import BOX_SOURCES, BoxOption, BoxSource, find_file
from .coco_file import read_json
from .coco_json import CocoIndex, drop_mask, iter_coco_images

_BOX_FILE = BoxOption(
    '--boxes',
    'box_file',
    'the results (default: the one JSON file in detections/ beside the index)',
    metavar='FILE',
)
_INDEX_FILE = BoxOption(
    '--index',
    'index_file',
    'COCO file of the images and categories (default: detections/images.json)',
    metavar='FILE',
)


@BOX_SOURCES.register_module()
class Detections(BoxSource):
    """The boxes that a detector found, in COCO's results format.

    Args:
        data_root: Folder of the data set.
        classes: As for :class:`COCOJSON`.
        image_dir: Folder that the ``file_name`` of the images is relative to.
        box_file: The results. Defaults to the one JSON file in
            ``detections/`` beside the index.
        index_file: A COCO file with the images and categories that the
            results refer to.
        score_threshold: Boxes with a lower score are left out; in ``[0, 1]``.
        nms_iou: Of the boxes of one class whose IoU is above it, only the
            best is kept; in ``[0, 1]``, None keeps all.

    Raises:
        ValueError: A threshold is not in ``[0, 1]``.
    """

    format = 'detections'
    summary = 'COCO results JSON'
    options = (
        _BOX_FILE,
        _INDEX_FILE,
        BoxOption(
            '--score-threshold',
            'score_threshold',
            'leave out boxes with a lower score (default: 0.5)',
            float,
        ),
        BoxOption(
            '--nms-iou',
            'nms_iou',
            'of the boxes of one class that overlap more than this, keep '
            'only the best (default: keep all)',
            float,
        ),
    )

    def __init__(
        self,
        data_root: str | Path,
        classes: Sequence[str] | None = None,
        image_dir: str | Path | None = None,
        box_file: str | Path | None = None,
        index_file: str | Path = 'detections/images.json',
        score_threshold: float = 0.5,
        nms_iou: float | None = None,
    ) -> None:
        super().__init__(data_root, classes, image_dir)
        for name, value in (
            ('score_threshold', score_threshold),
            ('nms_iou', 0 if nms_iou is None else nms_iou),
        ):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in [0, 1]. Got: {value}')
        self.box_file = box_file
        self.index_file = index_file
        self.score_threshold = score_threshold
        self.nms_iou = nms_iou

    def read(
        self, image_ids: Iterable[str], report: ReadingReport | None = None
    ) -> Iterator[BoxAnnotations]:
        """Read the results; see :func:`iter_coco_results`."""
        index = find_file(self.data_root, self.index_file, _INDEX_FILE)
        return iter_coco_results(
            find_file(
                self.data_root,
                self.box_file,
                _BOX_FILE,
                'detections/*.json',
                exclude=index,
            ),
            index,
            self.image_dir,
            image_ids,
            self.classes,
            score_threshold=self.score_threshold,
            nms_iou=self.nms_iou,
            report=report,
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
        image_root: Folder that the ``file_name`` of the images is relative
            to.
        image_ids: The images to read: their ``file_name`` without suffix.
        classes: As for :func:`iter_coco_json`.
        score_threshold: Detections below it are left out; in ``[0, 1]``.
        nms_iou: Of the detections of one class whose IoU is above it, only
            the best is kept; None keeps all.
        report: Counts the detections and says whether to skip bad ones.
            Those that threshold and NMS remove count as used.

    Yields:
        The boxes of each image with their scores, in the order of
        ``image_ids``.

    Raises:
        AnnotationError: As :func:`iter_coco_json`, or a score is not in
            ``[0, 1]``.
    """
    report = ReadingReport() if report is None else report
    results = read_json(results_path, drop_mask)
    if not isinstance(results, list):
        raise AnnotationError(
            f'{results_path}: results must be a list. '
            f'Got: {type(results).__name__}'
        )
    annotations = iter_coco_images(
        CocoIndex(
            index_path, read_json(index_path, drop_mask), image_root, classes
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
    """Remove detections with low scores and, within a class, repeated ones.

    Args:
        detections: Boxes with scores.
        score_threshold: Detections with a lower score are removed.
        nms_iou: As for :func:`iter_coco_results`.

    Returns:
        The other detections, in their order.
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
