"""COCO's instances as masks of classes, to judge models with."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...boxes import COCO_CLASSES
from ...pseudo_labels import IGNORE, write_label_png

try:
    from pycocotools import mask as mask_utils
except ModuleNotFoundError:  # the extra coco; told where it is needed
    mask_utils = None


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
            Other categories are background.
        progress: Show a progress bar on stderr.

    Returns:
        The images' names, in the file's order.

    Raises:
        ModuleNotFoundError: pycocotools, the extra ``coco``, is missing.
        ValueError: It is no COCO file, or an instance has no outline.
    """
    if mask_utils is None:
        raise ModuleNotFoundError(
            "masks of COCO's outlines need pycocotools: "
            "pip install 'box2seg-mmseg[coco]'"
        )
    images, annotations, categories = _load(
        json_path, 'images', 'annotations', 'categories'
    )
    labels = {
        category['id']: list(classes).index(category['name']) + 1
        for category in categories
        if category['name'] in classes
    }
    of_image = defaultdict(list)
    for annotation in annotations:
        if annotation['category_id'] in labels:
            of_image[annotation['image_id']].append(annotation)
    names = []
    for image in tqdm(images, unit='image', disable=not progress):
        names.append(_name(image))
        size = image['height'], image['width']
        mask = np.zeros(size, np.uint8)
        instances = sorted(
            of_image[image['id']],
            key=lambda item: (not item.get('iscrowd'), -item['area']),
        )
        for item in instances:
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
        ValueError: It is no COCO file.
    """
    (images,) = _load(json_path, 'images')
    return [_name(image) for image in images]


def _load(json_path: str | Path, *keys: str) -> list[list[dict]]:
    content = json.loads(Path(json_path).read_text())
    try:
        return [content[key] for key in keys]
    except (KeyError, TypeError):
        raise ValueError(
            f'{json_path}: not a COCO annotation file: it needs images, '
            'annotations and categories'
        ) from None


def _name(image: dict) -> str:
    return str(Path(image['file_name']).with_suffix(''))


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
