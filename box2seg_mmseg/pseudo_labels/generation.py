"""The pseudo labels of a whole split."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from tqdm import tqdm

from ..boxes import BoxAnnotations
from ..files import hash_of, only_run
from ..images import ImageError, decode_image, read_image_bytes
from ..label_maps import write_label_png
from ..version import __version__
from .engines import ENGINES
from .labelers.pseudo_labeler import PseudoLabeler
from .store import PseudoLabelStore, Record, png_path


@dataclass
class GenerationSummary:
    """What a run made.

    Args:
        num_images: Images that have a pseudo label now.
        num_kept: Those of them that had it before.
        num_boxes: Boxes in them.
        fallbacks: How many boxes were filled instead of segmented, by
            reason.
        errors: One line for each image that could not be labelled, and one
            if the folder's records could not be written.
    """

    num_images: int = 0
    num_kept: int = 0
    num_boxes: int = 0
    fallbacks: Counter = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def generate_pseudo_labels(
    annotations: Iterable[BoxAnnotations],
    labeler: PseudoLabeler,
    out_dir: str | Path,
    workers: int | None = 1,
    engine: str = 'local',
    overwrite: bool = False,
    progress: bool = False,
    total: int | None = None,
) -> GenerationSummary:
    """Write the pseudo label of every image as ``out_dir/<image_id>.png``.

    The folder is a :class:`PseudoLabelStore`: a run does only what is missing
    or was made from other images or boxes, and one that was killed is taken
    up by the next. An image that can not be read, whose size is not what its
    annotation says, or whose PNG can not be written is reported, and the rest
    goes on.

    Args:
        annotations: The boxes of the images; asked for as they are worked
            off. The store keeps a record of about 1 KB an image in memory.
        labeler: Makes the label maps.
        out_dir: Folder for the PNGs; made if absent.
        workers: Processes that share the images; None is one a core of the
            machine, or of the cluster.
        engine: ``'local'``, this machine, or ``'ray'``, a Ray cluster.
        overwrite: Begin anew where another labeler made the folder's PNGs.
        progress: Show a progress bar on stderr.
        total: How many annotations there are, for the progress bar.

    Returns:
        What was made, and what could not be.

    Raises:
        FolderError: It is no folder, or another run is at work there.
        StoreError: Something else made the folder's PNGs.
    """
    with only_run(out_dir):
        store = PseudoLabelStore(
            out_dir,
            {
                'labeler': labeler.config,
                'box2seg_mmseg': __version__,
                'opencv': cv2.__version__,
            },
            overwrite,
        )
        if workers != 1:
            labeler.warm_up()
        folder = store.folder.resolve()
        jobs = (
            (labeler, item, folder, store[item.image_id])
            for item in annotations
        )
        results = ENGINES[engine](_label_one, jobs, workers)
        bar = tqdm(results, total=total, unit='image', disable=not progress)
        return _store(store, bar)


def _store(
    store: PseudoLabelStore, results: Iterable[tuple[Record, bool]]
) -> GenerationSummary:
    summary = GenerationSummary()
    for record, is_kept in results:
        store.add(record)
        if record.error is not None:
            summary.errors.append(record.error)
            continue
        summary.num_images += 1
        summary.num_kept += is_kept
        summary.num_boxes += len(record.fallbacks)
        summary.fallbacks.update(filter(None, record.fallbacks))
    try:
        store.finish()
    except OSError as error:
        summary.errors.append(
            f'{store.folder}: its records are not whole: {error.strerror}; '
            'mend that and run again'
        )
    return summary


def _label_one(
    labeler: PseudoLabeler,
    annotations: BoxAnnotations,
    folder: Path,
    done: Record | None,
) -> tuple[Record, bool]:
    """Label an image unless ``done`` holds; the record, and if it holds."""
    image_id, source = annotations.image_id, annotations.image_path
    path = png_path(folder, image_id)
    try:
        data = read_image_bytes(source)
        inputs = hash_of(
            data,
            annotations.boxes.tobytes(),
            annotations.labels.tobytes(),
            repr(annotations.size).encode(),
        )
        if done is not None and done.inputs == inputs and done.holds(path):
            return done, True
        image = decode_image(data, source, annotations.size)
        result = labeler.label(image, annotations.boxes, annotations.labels)
        png = write_label_png(path, result.label_map)
    except (ImageError, OSError) as error:
        with suppress(OSError):  # an older one is of other inputs
            path.unlink()
        text = str(error)
        if isinstance(error, OSError):
            text = f'{path}: {error.strerror}'
        return Record(image_id, error=text), False
    agreements = [s.agreement for s in result.segments]
    record = Record(
        image_id,
        inputs,
        hash_of(png),
        [s.fallback for s in result.segments],
        [round(s.filling_rate, 4) for s in result.segments],
        [round(a, 4) for a in agreements if a is not None],
    )
    return record, False
