"""Pseudo labels evaluated as predictions: baselines without training."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations, pixel_boxes
from box2seg_mmseg.evaluation import LabelAreas
from box2seg_mmseg.images import read_image
from box2seg_mmseg.label_maps import read_label_png
from box2seg_mmseg.pseudo_labels import ENGINES, PseudoLabeler, paint_segments


def evaluate_no_train(
    annotations: Iterable[BoxAnnotations],
    labeler: PseudoLabeler,
    mask_dir: str | Path,
    classes: Sequence[str],
    thresholds: Sequence[float] = (0.0,),
    workers: int | None = 1,
    progress: bool = False,
    total: int | None = None,
) -> list[dict]:
    """Compare label maps with masks: GrabCut-NoTrain-GT and -Det.

    Each box is segmented only once, for all thresholds together.

    Args:
        annotations: Annotated boxes, or detections with their scores.
        labeler: Makes the label maps.
        mask_dir: Folder of the ground-truth masks, ``<image_id>.png``.
        classes: Names of all classes, background first.
        thresholds: For each, detections with a lower score are left out;
            boxes without scores are always kept.
        workers: Number of processes; None means one per core.
        progress: Show a progress bar on stderr.
        total: Number of annotations, for the progress bar.

    Returns:
        One report per threshold; see :meth:`LabelAreas.report`.

    Raises:
        ImageError: An image cannot be read or has another size.
        FileNotFoundError: A mask is missing.
        ValueError: A mask has another size or a label that is not a class.
    """
    labeler.warm_up(progress)
    jobs = (
        (labeler, item, Path(mask_dir), len(classes), tuple(thresholds))
        for item in annotations
    )
    sums = [LabelAreas.nothing(len(classes)) for _ in thresholds]
    results = ENGINES['local'](_areas_of_image, jobs, workers)
    for areas in tqdm(
        results, total=total, unit='image', disable=not progress
    ):
        sums = [a + b for a, b in zip(sums, areas, strict=True)]
    return [areas.report(classes) for areas in sums]


def _areas_of_image(
    labeler: PseudoLabeler,
    item: BoxAnnotations,
    mask_dir: Path,
    num_classes: int,
    thresholds: Sequence[float],
) -> list[LabelAreas]:
    path = mask_dir / f'{item.image_id}.png'
    mask = read_label_png(path, num_classes)
    image = read_image(item.image_path, item.size)
    segments = labeler.label(
        image, item.boxes, item.labels, item.image_id
    ).segments
    boxes = pixel_boxes(item.boxes, item.size)
    result = []
    for threshold in thresholds:
        keep = np.arange(len(boxes))
        if item.scores is not None:
            keep = np.flatnonzero(item.scores >= np.float32(threshold))
        label_map = paint_segments(
            item.size,
            boxes[keep],
            item.labels[keep],
            [segments[i] for i in keep],
        )
        try:
            result.append(LabelAreas.of(label_map, mask, num_classes))
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
    return result
