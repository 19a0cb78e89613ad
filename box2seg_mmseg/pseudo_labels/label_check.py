"""Check that a folder of label maps fits a training and is intact."""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from .instance_exports import exported_problems
from .instance_masks import AGAIN, mask_path
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
    return _problems(folder, {name: records.get(name) for name in image_ids})


def verify_pseudo_labels(
    folder: str | Path, skip: Collection[str] = ()
) -> list[str]:
    """Compare all files of a folder with its records.

    Args:
        folder: A folder that :func:`generate_pseudo_labels` made.
        skip: Ids of images that are not compared.

    Returns:
        One line for each PNG that is missing, altered or without a record, for
        each file of instance masks that is missing or altered, and one if a
        run was not finished.

    Raises:
        StoreError: The folder has no manifest.
        FolderError: The list of exported instance masks cannot be read.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise StoreError(
            f'{folder}: no {MANIFEST}; not a folder of pseudo labels'
        )
    records: dict[str, Record | None] = {**read_records(folder)}
    lines: list[str] = []
    if not (folder / RECORDS).exists() or (folder / JOURNAL).exists():
        lines = [f'{folder}: the last run was not finished; run it again']
    else:
        for path in sorted(folder.rglob('*.png')):
            name = path.relative_to(folder).with_suffix('').as_posix()
            records.setdefault(name, None)
        if 'instances' in manifest:
            lines = list(exported_problems(folder))
    for image_id in skip:
        records.pop(image_id, None)
    lines += _problems(folder, records).values()
    for image_id, record in records.items():
        path = mask_path(folder, image_id)
        if record is not None and not record.holds_masks(path):
            lines.append(f'{path}: missing or altered; {AGAIN}')
    return lines


def _problems(
    folder: Path, records: Mapping[str, Record | None]
) -> dict[str, str]:
    """Why PNGs are not what their records describe, by image id."""
    problems = {}
    for image_id, record in records.items():
        path = png_path(folder, image_id)
        if record is not None and record.error is not None:
            problem = f'the last run failed: {record.error}; {AGAIN}'
        elif not path.exists():
            problem = f'missing; {AGAIN}'
        elif record is None:
            problem = (
                'has no record; an interrupted run may have left it: label '
                'its image again, or delete it'
            )
        elif not record.holds(path):
            problem = f'altered or truncated; {AGAIN}'
        else:
            continue
        problems[image_id] = f'{path}: {problem}'
    return problems
