"""The pseudo labels of a whole split."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ..boxes import BoxAnnotations
from ..files import hash_of, only_run
from ..label_maps import write_label_png
from ..version import __version__
from .engines import ENGINES
from .instance_exports import export_instances, require_formats
from .instance_masks import mask_path, write_masks
from .labelers.pseudo_labeler import PseudoLabeler
from .store import PseudoLabelStore, Record, png_path
from .updating import update_image


@dataclass
class GenerationSummary:
    """The result of a run.

    Args:
        num_images: Images that have a pseudo label now.
        num_kept: Those of them that an earlier run labelled.
        num_boxes: Boxes in these images.
        fallbacks: Number of boxes filled instead of segmented, by reason.
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
    classes: Sequence[str] | None = None,
    instances: Collection[str] = (),
) -> GenerationSummary:
    """Write the pseudo label of every image as ``out_dir/<image_id>.png``.

    A run makes only the labels that are missing or were made from other
    images or boxes, and resumes one that was killed. An image that cannot be
    read, whose size is not the one in its annotation, or whose PNG cannot be
    written is reported, and the run continues with the next. If an image file
    is gone, the label that was made from it stays.

    Args:
        annotations: The boxes of the images, consumed as the work proceeds;
            a record of about 1 KB per image stays in memory.
        labeler: Makes the label maps.
        out_dir: Folder for the PNGs; created if it does not exist.
        workers: Number of processes; None means the labeler's default, or
            one per core of the machine or of the cluster.
        engine: ``'local'``, this machine, or ``'ray'``, a Ray cluster.
        overwrite: Start over if the folder's PNGs were made by another
            labeler or version, or for other classes.
        progress: Show a progress bar on stderr.
        total: Number of annotations, for the progress bar.
        classes: Names of the foreground classes, the first has label 1.
            Recorded in the folder, so that a training with another class
            list notices.
        instances: Also write one mask per box to ``out_dir/instances``, in
            these of the ``INSTANCE_FORMATS``. Needs ``classes``.

    Raises:
        FolderError: ``out_dir`` is not a folder, or another run is using it.
        StoreError: The folder's PNGs were made by another labeler or
            version, or for other classes, or not by this function; or with
            masks of instances and this run makes none, or the reverse.
        ImportError: ``instances`` need pycocotools, which is not installed.
        ValueError: A format of ``instances`` is unknown, or ``classes`` is
            None.
    """
    require_formats(instances, classes)
    manifest = {
        'labeler': labeler.recorded(labeler.config),
        **labeler.provenance,
        'box2seg_mmseg': __version__,
        'opencv': cv2.__version__,
    }
    if classes is not None:
        manifest['classes'] = list(classes)
    if instances:
        manifest['instances'] = 'masks'
    with only_run(out_dir):
        store = PseudoLabelStore(out_dir, manifest, overwrite)
        labeler.warm_up(progress)
        folder = store.folder.resolve()
        jobs = (
            (labeler, item, folder, store[item.image_id], bool(instances))
            for item in annotations
        )
        workers = workers or labeler.default_workers
        results = ENGINES[engine](_label_one, jobs, workers)
        bar = tqdm(results, total=total, unit='image', disable=not progress)
        summary = GenerationSummary()
        for record, is_kept in bar:
            store.add(record)
            if record.error is not None:
                summary.errors.append(record.error)
                continue
            summary.num_images += 1
            summary.num_kept += is_kept
            summary.num_boxes += len(record.fallbacks)
            summary.fallbacks.update(filter(None, record.fallbacks))
        try:
            try:
                if instances:
                    labelled = store.labelled()
                    export_instances(folder, labelled, classes, instances)
            finally:
                store.finish()
        except OSError as error:
            summary.errors.append(
                f'{error.filename or store.folder}: could not write the '
                'records or the masks of instances: '
                f'{error.strerror}; fix this and rerun'
            )
    return summary


def _label_one(
    labeler: PseudoLabeler,
    annotations: BoxAnnotations,
    folder: Path,
    done: Record | None,
    with_masks: bool,
) -> tuple[Record, bool]:
    """The record of an image, and whether it is ``done``, still valid."""
    image_id = annotations.image_id

    def hash_inputs(data: bytes) -> str:
        return hash_of(
            data,
            annotations.boxes.tobytes(),
            annotations.labels.tobytes(),
            repr(annotations.size).encode(),
            *(_ids_of(annotations) if with_masks else ()),
            *(file.read_bytes() for file in labeler.side_files(image_id)),
        )

    def make(image: np.ndarray, inputs: str) -> Record:
        result = labeler.label(
            image, annotations.boxes, annotations.labels, image_id
        )
        segments = result.segments
        png = write_label_png(png_path(folder, image_id), result.label_map)
        masks = ''
        if with_masks:
            path = mask_path(folder, image_id)
            masks = hash_of(write_masks(path, annotations, segments))
        return Record(
            image_id,
            inputs,
            hash_of(png),
            [s.fallback for s in segments],
            [round(s.filling_rate, 4) for s in segments],
            [
                round(s.agreement, 4)
                for s in segments
                if s.agreement is not None
            ],
            masks=masks,
        )

    return update_image(annotations, folder, done, hash_inputs, make)


def _ids_of(annotations: BoxAnnotations) -> tuple[bytes, ...]:
    """What the masks of the boxes have besides their labels, as bytes."""
    ids, crowd = annotations.ids, annotations.flags.get('crowd')
    return (
        repr(annotations.source_id).encode(),
        repr(None if ids is None else ids.tolist()).encode(),
        b'' if crowd is None else crowd.tobytes(),
    )
