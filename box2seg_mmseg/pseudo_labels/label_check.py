"""Is a folder of label maps what a training needs, and is it intact?"""

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from .store import (
    JOURNAL,
    MANIFEST,
    RECORDS,
    Record,
    StoreError,
    class_difference,
    png_path,
    read_manifest,
    read_records,
)


def check_label_folder(
    folder: str | Path, image_ids: Iterable[str], classes: Sequence[str]
) -> dict[str, str]:
    """Find the images that a folder of label maps has no good PNG for.

    No PNG is decoded. In a folder that :func:`generate_pseudo_labels` made,
    each is read once and compared with its record; in a folder without a
    manifest, such as one of masks drawn by hand, it only has to exist. A
    manifest without class names, from an earlier version, gives a warning.

    Args:
        folder: Holds ``<image_id>.png``.
        image_ids: The images that need a label map.
        classes: Names of the foreground classes; the first has label 1.

    Returns:
        For each image that has no good PNG the reason, in one line.

    Raises:
        StoreError: The folder does not exist, its manifest cannot be read, or
            its label maps were made for other classes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StoreError(
            f'{folder}: no such folder; make the pseudo labels first with '
            'generate_pseudo_labels'
        )
    manifest = read_manifest(folder)
    if manifest is None:
        return {
            image_id: f'{path}: missing'
            for image_id in image_ids
            if not (path := png_path(folder, image_id)).exists()
        }
    made_for = manifest.get('classes')
    if made_for is None:
        warnings.warn(
            f'{folder / MANIFEST}: does not name the classes of its labels, '
            'so they are not checked; make the labels again to record them',
            stacklevel=2,
        )
    elif difference := class_difference(made_for, list(classes)):
        raise StoreError(
            f'{folder / MANIFEST}: the labels were made for other classes: '
            f'{difference}; use the class list that the labels were made '
            'with, or make the labels again (--overwrite)'
        )
    records = read_records(folder)
    reasons = {
        image_id: _problem(png_path(folder, image_id), records.get(image_id))
        for image_id in image_ids
    }
    return {k: reason for k, reason in reasons.items() if reason is not None}


def verify_pseudo_labels(
    folder: str | Path, skip: Collection[str] = ()
) -> Iterator[str]:
    """Compare all PNGs of a folder with its records.

    Args:
        folder: A folder that :func:`generate_pseudo_labels` made.
        skip: Ids of images that are not compared.

    Yields:
        One line for each PNG that is missing or is not the one that was
        written, for each PNG that this tool did not write, and if a run was
        not finished.

    Raises:
        StoreError: The folder has no manifest.
    """
    folder = Path(folder)
    if read_manifest(folder) is None:
        raise StoreError(
            f'{folder}: no {MANIFEST}; not a folder of pseudo labels'
        )
    is_finished = (folder / RECORDS).exists() and not (
        folder / JOURNAL
    ).exists()
    if not is_finished:
        yield f'{folder}: the last run was not finished; run it again'
    records = read_records(folder)
    paths = {png_path(folder, image_id): image_id for image_id in records}
    if is_finished:
        found = sorted(set(folder.rglob('*.png')) - set(paths))
        for path in found:
            paths[path] = path.relative_to(folder).with_suffix('').as_posix()
    for path, image_id in paths.items():
        if image_id not in skip:
            problem = _problem(path, records.get(image_id))
            if problem is not None:
                yield problem


def _problem(path: Path, record: Record | None) -> str | None:
    """Why a PNG is not the one that its record describes, or None."""
    if record is not None and record.error is not None:
        return f'{path}: not made: {record.error}'
    if not path.exists():
        return f'{path}: missing; run generate_pseudo_labels again'
    if record is None:
        return f'{path}: this tool did not write it; move it elsewhere'
    if not record.holds(path):
        return (
            f'{path}: altered or truncated; run generate_pseudo_labels again'
        )
    return None
