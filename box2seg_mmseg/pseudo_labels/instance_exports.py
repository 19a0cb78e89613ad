"""The masks of all images in the formats of other tools.

In the folder ``instances`` of a folder of pseudo labels,
``masks/<image_id>.json`` holds the exact masks of an image. A run writes it
together with the image's PNG. At its end it makes the files for other tools
from all of them, and lists their hashes in ``exported.json``.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path

import numpy as np

from ..files import hash_of, replacing, write_json
from ..id_lists import find_repeated
from .instance_masks import (
    AGAIN,
    INSTANCES,
    Content,
    mask_path,
    mask_utils,
    read_json,
    read_masks,
)
from .outlines import join_outlines, mask_outlines

_EXPORTED = f'{INSTANCES}/exported.json'


def require_formats(formats: Iterable[str], classes: object) -> None:
    """Check that instances can be written.

    Raises:
        ImportError: pycocotools is not installed.
        ValueError: A format is unknown, or ``classes`` is None.
    """
    for name in formats:
        if name not in INSTANCE_FORMATS:
            raise ValueError(
                f'instances must be of {", ".join(INSTANCE_FORMATS)}. '
                f'Got: {name!r}'
            )
        if classes is None:
            raise ValueError(f'instances as {name} need the class names')
        mask_utils()


def export_instances(
    folder: Path,
    image_ids: Sequence[str],
    classes: Sequence[str],
    formats: Iterable[str],
) -> None:
    """Write the masks of all images in the formats of other tools.

    Formats that were exported before are written again.

    Args:
        folder: A folder of pseudo labels.
        image_ids: Those of its images that have masks, in order.
        classes: Names of the foreground classes; the first has label 1.
        formats: Some of ``INSTANCE_FORMATS``.

    Raises:
        OSError: A file cannot be written.
    """
    old = _exported(folder)
    formats = sorted({*formats, *old['formats']})
    if old['files']:
        # None of them is as expected until all of them are written.
        files = dict.fromkeys(old['files'], '')
        write_json(folder / _EXPORTED, dict(formats=formats, files=files))
    hashes = {}
    for name in formats:
        for path in INSTANCE_FORMATS[name](folder, image_ids, classes):
            key = path.relative_to(folder).as_posix()
            hashes[key] = hash_of(path.read_bytes())
    for name in old['files'].keys() - hashes:
        (folder / name).unlink(missing_ok=True)
    write_json(folder / _EXPORTED, dict(formats=formats, files=hashes))


def exported_problems(folder: Path) -> Iterator[str]:
    """One line for each exported file that is missing or altered."""
    if not (folder / _EXPORTED).exists():
        yield f'{folder / _EXPORTED}: missing; {AGAIN}'
    for name, expected in _exported(folder)['files'].items():
        path = folder / name
        if not path.exists() or hash_of(path.read_bytes()) != expected:
            yield f'{path}: missing or altered; {AGAIN}'


def remove_instances(folder: Path, image_ids: Iterable[str]) -> None:
    """Remove the masks of some images, and all exported files."""
    exported = [*_exported(folder)['files'], _EXPORTED]
    for path in chain(
        (mask_path(folder, image_id) for image_id in image_ids),
        (folder / name for name in exported),
    ):
        path.unlink(missing_ok=True)


def _exported(folder: Path) -> Content:
    path = folder / _EXPORTED
    if not path.exists():
        return dict(formats=[], files={})
    return read_json(path)


def _coco_rle(
    folder: Path, image_ids: Sequence[str], classes: Sequence[str]
) -> Iterator[Path]:
    """One COCO file with RLE masks, which are exact."""
    yield _write_coco(folder, 'coco-rle', image_ids, classes, lambda e: e)


def _coco_polygons(
    folder: Path, image_ids: Sequence[str], classes: Sequence[str]
) -> Iterator[Path]:
    """One COCO file with polygons, which have no holes."""

    def convert(entry: Content) -> Content:
        outlines = _outlines(entry)
        # COCO has no polygons of crowds, and none for an empty mask.
        if entry['iscrowd'] or not outlines:
            return entry
        polygons = [corners.reshape(-1).tolist() for corners in outlines]
        return {**entry, 'segmentation': polygons}

    yield _write_coco(folder, 'coco-polygons', image_ids, classes, convert)


def _yolo(
    folder: Path, image_ids: Sequence[str], classes: Sequence[str]
) -> Iterator[Path]:
    """A text file per image: class and one polygon for each box."""
    for image_id in image_ids:
        image, entries = read_masks(folder, image_id)
        lines = []
        for entry in entries:
            if outlines := _outlines(entry):
                corners = join_outlines(outlines)
                shares = corners / (image['width'], image['height'])
                numbers = [f'{v:.6f}' for v in shares.reshape(-1)]
                label = entry['category_id'] - 1
                lines.append(f'{label} {" ".join(numbers)}\n')
        path = folder / INSTANCES / 'labels' / f'{image_id}.txt'
        with replacing(path) as part:
            part.write_text(''.join(lines))
        yield path


INSTANCE_FORMATS: dict[str, Callable[..., Iterator[Path]]] = {
    'coco-rle': _coco_rle,
    'coco-polygons': _coco_polygons,
    'yolo': _yolo,
}
"""Each writes its files and yields their paths."""


def _write_coco(
    folder: Path,
    name: str,
    image_ids: Sequence[str],
    classes: Sequence[str],
    convert: Callable[[Content], Content],
) -> Path:
    """Write a COCO file with one entry on each line.

    Images and boxes keep their ids; those without one get numbers. If two
    images or two boxes have one id, all of them get numbers, with a warning.
    """
    path = folder / INSTANCES / f'{name}.json'
    image_keys, box_keys = [], []
    for image_id in image_ids:
        image, entries = read_masks(folder, image_id)
        image_keys.append(image['id'])
        box_keys += [entry['id'] for entry in entries]
    image_keys = _numbered(image_keys, f'{path}: two images')
    box_keys = _numbered(box_keys, f'{path}: two boxes')

    def images() -> Iterator[Content]:
        for image_id, key in zip(image_ids, image_keys, strict=True):
            yield {**read_masks(folder, image_id)[0], 'id': key}

    def annotations() -> Iterator[Content]:
        keys = iter(box_keys)
        for image_id, key in zip(image_ids, image_keys, strict=True):
            for entry in map(convert, read_masks(folder, image_id)[1]):
                yield {**entry, 'id': next(keys), 'image_id': key}

    categories = [
        dict(id=label, name=name) for label, name in enumerate(classes, 1)
    ]
    with replacing(path) as part, part.open('w') as file:
        file.write('{"info": {"description": "masks by box2seg_mmseg"}')
        for title, values in (
            ('categories', categories),
            ('images', images()),
            ('annotations', annotations()),
        ):
            file.write(f',\n"{title}": [')
            for i, value in enumerate(values):
                file.write(f'{"," if i else ""}\n{json.dumps(value)}')
            file.write(']')
        file.write('}\n')
    return path


def _numbered(keys: list[int | str | None], what: str) -> list[int | str]:
    """The ids, and numbers above them for those that are None."""
    given = [key for key in keys if key is not None]
    if (twice := find_repeated(given)) is not None:
        warnings.warn(
            f'{what} have the id {twice}, so all of them get new ids here; '
            'renumber them in the box files to keep ids',
            stacklevel=2,
        )
        return [*range(1, len(keys) + 1)]
    numbers = count(max([0, *(k for k in given if isinstance(k, int))]) + 1)
    return [next(numbers) if key is None else key for key in keys]


def _outlines(entry: Content) -> list[np.ndarray]:
    mask = mask_utils().decode(entry['segmentation'])
    return mask_outlines(mask.astype(bool))
