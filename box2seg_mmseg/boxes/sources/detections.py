"""Boxes that a detector found, from a file of COCO's results."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ...option import Option
from ..box_annotations import AnnotationError, BoxAnnotations
from ..reading import ReadingReport, counting_clipped
from .base import BOX_SOURCES, BoxSource, find_file
from .coco_file import read_json
from .coco_json import CocoIndex

_BOX_FILE = Option(
    'box_file',
    str,
    'the results (default: the one JSON file in detections/ beside the index)',
    '--boxes',
)
_INDEX_FILE = Option(
    'index_file',
    str,
    'COCO file of the images and categories (default: detections/images.json)',
    '--index',
)


@BOX_SOURCES.register_module()
class Detections(BoxSource):
    """The boxes that a detector found, in COCO's results format.

    Args:
        data_root: As for :class:`COCOJSON`, like ``classes``, ``image_dir``.
        box_file: The results: a list of ``image_id``, ``category_id``,
            ``bbox`` (xywh in pixels, 0-based) and ``score``. Defaults to the
            one JSON file in ``detections/`` beside the index.
        index_file: A COCO file with the images and categories that the
            results refer to; it needs no annotations.
        score_threshold: Boxes with a lower score are left out; in ``[0, 1]``.
        nms_iou: Of the boxes of one class whose IoU is above it, only the
            best is kept; in ``[0, 1]``, None keeps all.

    Raises:
        ValueError: A threshold is not in ``[0, 1]``.
    """

    format = 'detections'
    options = (
        _BOX_FILE,
        _INDEX_FILE,
        Option(
            'score_threshold',
            float,
            'leave out boxes with a lower score (default: 0.5)',
        ),
        Option(
            'nms_iou',
            float,
            'of the boxes of one class that overlap more than this, keep '
            'only the best (default: keep all)',
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
        """Read the results, then yield the images in the given order.

        Detections that the threshold and NMS remove count as used.
        """
        index_path = find_file(self.data_root, self.index_file, _INDEX_FILE)
        files = 'detections/*.json'
        path = find_file(
            self.data_root, self.box_file, _BOX_FILE, files, index_path
        )
        results = read_json(path, with_masks=False)
        if not isinstance(results, list):
            raise AnnotationError(
                f'{path}: results must be a list. '
                f'Got: {type(results).__name__}'
            )
        content = read_json(index_path, with_masks=False)
        index = CocoIndex(index_path, content, self)
        report = report or ReadingReport()
        return counting_clipped(
            select_detections(item, self.score_threshold, self.nms_iou)
            for item in index.read(
                f'{path}: detection',
                results,
                image_ids,
                report,
                self.score_threshold,
            )
        )


def select_detections(
    detections: BoxAnnotations,
    score_threshold: float,
    nms_iou: float | None = None,
) -> BoxAnnotations:
    """Remove detections with low scores and, within a class, repeated ones.

    The boxes need scores; the thresholds are those of :class:`Detections`.
    The others keep their order.
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
