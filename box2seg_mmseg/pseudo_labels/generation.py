"""The pseudo labels of a whole split, on all cores."""

import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import starmap
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import cv2
from tqdm import tqdm

from ..boxes import BoxAnnotations
from .label_png import write_label_png
from .pseudo_label import PseudoLabeler


@dataclass
class GenerationSummary:
    """What a run made.

    Args:
        num_images: Images labelled.
        num_boxes: Boxes in them.
        fallbacks: How many boxes were filled instead of segmented, by
            reason.
        errors: One line for each image that could not be labelled.
    """

    num_images: int = 0
    num_boxes: int = 0
    fallbacks: Counter = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def generate_pseudo_labels(
    annotations: Iterable[BoxAnnotations],
    labeler: PseudoLabeler,
    out_dir: str | Path,
    workers: int = 1,
    progress: bool = False,
) -> GenerationSummary:
    """Write the pseudo label of every image as ``out_dir/<image_id>.png``.

    Each PNG is written whole or not at all, so an interrupted run leaves no
    broken file. An image that can not be read, or whose size is not what its
    annotation says, is reported and the rest goes on.

    Args:
        annotations: The boxes of the images.
        labeler: Makes the label maps.
        out_dir: Folder for the PNGs; made if absent.
        workers: Processes that share the images; 1 works in this process.
        progress: Show a progress bar on stderr.

    Returns:
        What was made, and what could not be.
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    jobs = [(labeler, item, out_dir) for item in annotations]
    summary = GenerationSummary()
    bar = tqdm(
        _map(workers, jobs),
        total=len(jobs),
        unit='image',
        disable=not progress,
    )
    for num_boxes, fallbacks, error in bar:
        if error is not None:
            summary.errors.append(error)
            continue
        summary.num_images += 1
        summary.num_boxes += num_boxes
        summary.fallbacks.update(fallbacks)
    return summary


_Result = tuple[int, list[str], str | None]


def _map(
    workers: int, jobs: list[tuple[PseudoLabeler, BoxAnnotations, Path]]
) -> Iterator[_Result]:
    if workers == 1:
        yield from starmap(_label_one, jobs)
        return
    if jobs:
        jobs[0][0].warm_up()
    # Not 'fork': the parent may hold threads of torch or OpenCV. A fork server
    # imports once for all workers.
    if 'forkserver' in get_all_start_methods():
        context = get_context('forkserver')
        context.set_forkserver_preload([__name__])
    else:
        context = get_context('spawn')
    executor = ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_init_worker,
    )
    try:
        yield from executor.map(_label_one, *zip(*jobs, strict=True))
    finally:
        executor.shutdown(cancel_futures=True)


def _init_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    cv2.setNumThreads(1)


def _label_one(
    labeler: PseudoLabeler, annotations: BoxAnnotations, out_dir: Path
) -> _Result:
    image = cv2.imread(annotations.image_path, cv2.IMREAD_COLOR)
    if image is None:
        return (
            0,
            [],
            f'{annotations.image_path}: missing or not an image; put it '
            'there or take it out of the split',
        )
    if image.shape[:2] != annotations.size:
        return (
            0,
            [],
            f'{annotations.image_path}: the image is {image.shape[1]} x '
            f'{image.shape[0]} px, its annotation says '
            f'{annotations.size[1]} x {annotations.size[0]}',
        )
    result = labeler.label(image, annotations.boxes, annotations.labels)
    write_label_png(out_dir / f'{annotations.image_id}.png', result.label_map)
    reasons = [reason for reason in result.fallbacks if reason is not None]
    return len(annotations.labels), reasons, None
