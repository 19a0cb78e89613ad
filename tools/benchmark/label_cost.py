"""What pseudo labels cost, and whether fast labels equal exact ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.evaluation import evaluate_label_folders
from box2seg_mmseg.images import read_image
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import ENGINES, GrabCut, PseudoLabeler


@dataclass(frozen=True)
class LabelCost:
    """What the pseudo labels of a split cost.

    Args:
        images_per_second: From the end of the first image to the end of the
            last, so that starting processes does not count.
        cpu_seconds: Per image: reading, decoding, labelling and writing it.
        miou: Against the masks, in percent.
        segments: For each image the bytes of each box's segment.
    """

    images_per_second: float
    cpu_seconds: float
    miou: float
    segments: dict[str, list[bytes]]

    def identical(self, other: 'LabelCost') -> float:
        """Share of the boxes whose segments equal those of ``other``."""
        same = [
            a == b
            for image_id, segments in self.segments.items()
            for a, b in zip(segments, other.segments[image_id], strict=True)
        ]
        return sum(same) / len(same)


def measure_labels(
    annotations: Sequence[BoxAnnotations],
    labeler: PseudoLabeler,
    mask_dir: str | Path,
    classes: Sequence[str],
    engine: str = 'local',
    workers: int = 1,
    progress: bool = False,
) -> LabelCost:
    """Make pseudo labels in a temporary folder and measure the cost.

    Args:
        annotations: At least two images.
        labeler: Makes the label maps.
        mask_dir: Folder of the ground-truth masks.
        classes: Names of all classes, background first.
        engine: As for :func:`generate_pseudo_labels`.
        workers: Processes that share the images.
        progress: Show a progress bar on stderr.

    Returns:
        The figures.
    """
    cv2.setNumThreads(1)
    labeler.warm_up()
    seconds, segments, ends = 0.0, {}, []
    with TemporaryDirectory() as folder:
        jobs = ((labeler, item, Path(folder)) for item in annotations)
        results = ENGINES[engine](_label_timed, jobs, workers)
        for image_id, cost, found in tqdm(
            results,
            total=len(annotations),
            unit='image',
            disable=not progress,
        ):
            ends.append(time.perf_counter())
            seconds += cost
            segments[image_id] = found
        report = evaluate_label_folders(folder, mask_dir, segments, classes)
    return LabelCost(
        (len(ends) - 1) / (ends[-1] - ends[0]),
        seconds / len(ends),
        report['mIoU'],
        segments,
    )


def _label_timed(
    labeler: PseudoLabeler, item: BoxAnnotations, folder: Path
) -> tuple[str, float, list[bytes]]:
    start = time.process_time()
    image = read_image(item.image_path, item.size)
    result = labeler.label(image, item.boxes, item.labels, item.image_id)
    write_label_png(folder / f'{item.image_id}.png', result.label_map)
    seconds = time.process_time() - start
    return (
        item.image_id,
        seconds,
        [s.values.tobytes() for s in result.segments],
    )


@dataclass(frozen=True)
class GrowthRow:
    """The mean CPU seconds a box in photographs of one size.

    Args:
        side: Pixels of the photographs' longer side.
        scaled: Whether the boxes grow along, or keep their pixels.
        opencv: CPU seconds a box of ``cv2.grabCut``.
        numba: Those of the package's own GrabCut.
    """

    side: int
    scaled: bool
    opencv: float
    numba: float


def measure_growth(
    annotations: Sequence[BoxAnnotations], sides: Sequence[int]
) -> list[GrowthRow]:
    """Measure how the cost of a box grows with the photograph.

    The photographs are resized. Both backends label each one in turn, so that
    other work on the machine slows both down alike.

    Args:
        annotations: At least one image with a box.
        sides: Pixels of the longer side.
    """
    cv2.setNumThreads(1)
    labelers = [GrabCut(backend=backend) for backend in ('opencv', 'numba')]
    for labeler in labelers:
        labeler.warm_up()
    rows = []
    for scaled in (False, True):
        for side in sides:
            seconds, num_boxes = np.zeros(2), 0
            for item in annotations:
                image, boxes = _resized(item, side, scaled)
                for i, labeler in enumerate(labelers):
                    start = time.process_time()
                    labeler(image, boxes, item.labels)
                    seconds[i] += time.process_time() - start
                num_boxes += len(boxes)
            rows.append(GrowthRow(side, scaled, *seconds / num_boxes))
    return rows


def _resized(
    item: BoxAnnotations, side: int, scaled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The photograph at another size, and its boxes."""
    image = read_image(item.image_path, item.size)
    factor = side / max(image.shape[:2])
    image = cv2.resize(
        image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC
    )
    first, last = np.split(item.boxes, 2, axis=1)
    center, half = (first + last) / 2 * factor, (last - first) / 2
    if scaled:
        half = half * factor
    boxes = np.concatenate([center - half, center + half], 1)
    height, width = image.shape[:2]
    return image, boxes.clip(0, [width, height, width, height])
