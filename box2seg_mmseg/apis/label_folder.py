"""The pseudo labels that an experiment trains on."""

from collections.abc import Iterable
from pathlib import Path

from ..boxes import BoxAnnotations
from ..pseudo_labels import PseudoLabeler, generate_pseudo_labels


def make_label_folder(
    annotations: Iterable[BoxAnnotations],
    num_images: int,
    labeler: PseudoLabeler,
    out_dir: Path,
    workers: int | None,
) -> Path:
    """Make a folder of pseudo labels, or what it lacks, and say what was done.

    Args:
        annotations: The boxes of the images.
        num_images: How many there are.
        labeler: Makes the label maps.
        out_dir: The folder; its name is printed.
        workers: Processes that share the images; None is one a core.

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
