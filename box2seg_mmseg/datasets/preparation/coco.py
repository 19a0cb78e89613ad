"""COCO's instances as masks of classes, to judge models with."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from ...boxes import COCO_CLASSES, COCO_TO_VOC
from ...boxes.class_maps import labels_of_names
from ...boxes.reading import image_name
from ...pseudo_labels import IGNORE, write_label_png

try:
    from pycocotools import mask as mask_utils
except ModuleNotFoundError:  # the extra coco; told where it is needed
    mask_utils = None

_ID = int | str


def write_coco_masks(
    json_path: str | Path,
    out_dir: str | Path,
    classes: Sequence[str] = COCO_CLASSES,
    progress: bool = False,
) -> list[str]:
    """Write ``out_dir/<file name without suffix>.png`` of every image.

    Instances are painted from large to small, so that a small one wins, as
    pseudo labels do it; crowds are 255 where nothing else is (our choice).

    Args:
        json_path: COCO's ``instances_*.json``.
        out_dir: Folder to write to.
        classes: Names of the foreground classes; the first has label 1.
            With VOC's classes, COCO's names for them are understood too.
            Other categories are background.
        progress: Show a progress bar on stderr.

    Returns:
        The images' names, in the file's order.

    Raises:
        ModuleNotFoundError: pycocotools, the extra ``coco``, is missing.
        ValueError: It is no COCO file, an entry lacks something, an image
            leaves the folder, an instance has no outline, or no category
            is one of the classes.
    """
    if mask_utils is None:
        raise ModuleNotFoundError(
            "masks of COCO's outlines need pycocotools: "
            "pip install 'box2seg-mmseg[coco]'"
        )
    images, annotations, categories = _load(
        json_path, 'images', 'annotations', 'categories'
    )
    labels_of = labels_of_names(classes, COCO_TO_VOC)
    labels = {}
    for where, category in categories:
        name = _get(category, 'name', str, where)
        if name in labels_of:
            labels[_get(category, 'id', _ID, where)] = labels_of[name]
    if not labels:
        raise ValueError(
            f'{json_path}: no category is one of {", ".join(classes)}; give '
            'the classes as the file names them'
        )
    of_image = defaultdict(list)
    for where, item in annotations:
        if _get(item, 'category_id', _ID, where) in labels:
            area = _get(item, 'area', int | float, where)
            rank = not item.get('iscrowd'), -area
            image_id = _get(item, 'image_id', _ID, where)
            of_image[image_id].append((rank, item))
    names = []
    for where, image in tqdm(list(images), unit='image', disable=not progress):
        names.append(_name(image, where))
        size = _size(image, where)
        mask = np.zeros(size, np.uint8)
        instances = of_image[_get(image, 'id', _ID, where)]
        for _, item in sorted(instances, key=itemgetter(0)):
            covered = _covered(item, size, json_path)
            is_crowd = item.get('iscrowd')
            mask[covered] = IGNORE if is_crowd else labels[item['category_id']]
        write_label_png(Path(out_dir, f'{names[-1]}.png'), mask)
    return names


def coco_image_names(json_path: str | Path) -> list[str]:
    """The images of a COCO file, as a split file names them.

    Args:
        json_path: COCO's ``instances_*.json``.

    Returns:
        Each ``file_name`` without suffix, in the file's order.

    Raises:
        ValueError: It is no COCO file, or an image has no name or one that
            leaves the image folder.
    """
    (images,) = _load(json_path, 'images')
    return [_name(image, where) for where, image in images]


def _load(
    json_path: str | Path, *keys: str
) -> list[Iterator[tuple[str, Any]]]:
    """The entries of each list, with file and place for messages."""
    try:
        content = json.loads(Path(json_path).read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f'{json_path}: not a readable JSON file; get it anew: {error}'
        ) from None
    found = content if isinstance(content, dict) else {}
    lists = [found.get(key) for key in keys]
    if not all(isinstance(entries, list) for entries in lists):
        raise ValueError(
            f'{json_path}: not a COCO annotation file: it needs images, '
            'annotations and categories'
        )
    return [
        _places(f'{json_path}: {key}', entries)
        for key, entries in zip(keys, lists, strict=True)
    ]


def _places(where: str, entries: list) -> Iterator[tuple[str, Any]]:
    for i, entry in enumerate(entries):
        yield f'{where}[{i}]', entry


def _get(entry: Any, key: str, kind: Any, where: str) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        raise ValueError(
            f'{where}: needs {key!r}; add it or take the entry out. '
            f'Got: {str(entry)[:100]}'
        )
    return value


def _name(image: Any, where: str) -> str:
    name = image_name(_get(image, 'file_name', str, where), where)
    return str(PurePosixPath(name).with_suffix(''))


def _size(image: Any, where: str) -> tuple[int, int]:
    height, width = (
        _get(image, key, int, where) for key in ('height', 'width')
    )
    if min(height, width) < 1:
        raise ValueError(
            f'{where}: needs height and width >= 1; correct them. '
            f'Got: {height}, {width}'
        )
    return height, width


def _covered(
    item: dict, size: tuple[int, int], json_path: str | Path
) -> np.ndarray:
    """The pixels of an instance, ``(H, W)`` bool."""
    outline = item.get('segmentation')
    try:
        runs = mask_utils.frPyObjects(outline, *size)
        if isinstance(runs, list):
            runs = mask_utils.merge(runs)
        return mask_utils.decode(runs).astype(bool)
    except Exception as error:  # its C code raises many kinds
        raise ValueError(
            f'{json_path}: annotation {item.get("id")}: needs polygons or '
            f'runs as its segmentation. Got: {str(outline)[:50]} ({error})'
        ) from None
