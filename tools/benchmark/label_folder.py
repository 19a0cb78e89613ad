"""A folder of pseudo labels, made in one call."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.pseudo_labels import PseudoLabeler, generate_pseudo_labels


def make_label_folder(
    annotations: Iterable[BoxAnnotations],
    num_images: int,
    labeler: PseudoLabeler,
    out_dir: Path,
    workers: int | None,
    classes: Sequence[str] | None = None,
) -> Path:
    """Make the pseudo labels that a folder lacks and print a summary.

    Args:
        annotations: The boxes of the images.
        num_images: Number of images, for the progress bar.
        labeler: Makes the label maps.
        out_dir: The folder; created if it does not exist.
        workers: Number of processes; None means one per core.
        classes: Names of the foreground classes, which the folder records.

    Returns:
        The folder.

    Raises:
        RuntimeError: An image could not be labelled.
    """
    summary = generate_pseudo_labels(
        annotations,
        labeler,
        out_dir,
        workers=workers,
        progress=True,
        total=num_images,
        classes=classes,
    )
    if summary.errors:
        raise RuntimeError('\n'.join(summary.errors))
    filled = ', '.join(f'{n} {why}' for why, n in summary.fallbacks.items())
    print(
        f'pseudo labels {out_dir.name}: {summary.num_images} images, '
        f'{summary.num_boxes} boxes, filled instead of segmented: '
        f'{filled or "none"}'
    )
    return out_dir
