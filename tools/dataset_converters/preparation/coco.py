"""COCO's instances as masks of classes, to evaluate models."""

from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from box2seg_mmseg.boxes import COCO_CLASSES
from box2seg_mmseg.boxes.sources.coco_file import (
    coco_id,
    coco_image_id,
    coco_image_size,
    coco_known,
    coco_labels,
    coco_places,
    numbers,
    read_json,
)
from box2seg_mmseg.label_maps import IGNORE, write_label_png

try:
    from pycocotools import mask as mask_utils
except ModuleNotFoundError:  # the extra coco; an error is raised on use
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
            With VOC's classes, COCO's names for them are understood too.
            Other categories are background.
        progress: Show a progress bar on stderr.

    Returns:
        The images' names, in the file's order.

    Raises:
        ModuleNotFoundError: pycocotools, the extra ``coco``, is missing.
        ValueError: It is no COCO file, an entry lacks something, an image
            leaves the folder, an instance has no outline or is of an unknown
            image or category, or no category is one of the classes.
    """
    if mask_utils is None:
        raise ModuleNotFoundError(
            "masks of COCO's outlines need pycocotools: "
            "pip install 'box2seg-mmseg[coco]'"
        )
    content = read_json(json_path)
    labels = coco_labels(content, json_path, classes)
    images = list(coco_places(content, 'images', json_path))
    of_image: dict[str | int, list] = {}
    for place, image in images:
        of_image[coco_id(image, place, of_image)] = []
    for where, item in coco_places(content, 'annotations', json_path):
        image_id = coco_known(item, 'image_id', of_image, where, json_path)
        if labels[coco_known(item, 'category_id', labels, where, json_path)]:
            (area,) = numbers([item.get('area')], 1, f'{where}: area')
            rank = not item.get('iscrowd'), -area
            of_image[image_id].append((rank, where, item))
    names = []
    for place, image in tqdm(images, unit='image', disable=not progress):
        names.append(coco_image_id(image, place))
        instances = of_image[image['id']]
        mask = np.zeros(coco_image_size(image, place), np.uint8)
        for _, where, item in sorted(instances, key=itemgetter(0)):
            covered = _covered(item, mask.shape, where)
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
    content = read_json(json_path, with_masks=False)
    images = coco_places(content, 'images', json_path)
    return [coco_image_id(image, where) for where, image in images]


def _covered(item: dict, size: tuple[int, int], where: str) -> np.ndarray:
    """The pixels of an instance, ``(H, W)`` bool."""
    outline = item.get('segmentation')
    try:
        runs = outline
        # The text of compressed runs is what pycocotools decodes.
        if not isinstance(outline, dict) or isinstance(
            outline['counts'], list
        ):
            runs = mask_utils.frPyObjects(outline, *size)
        if isinstance(runs, list):
            runs = mask_utils.merge(runs)
        covered = mask_utils.decode(runs).astype(bool)
        if covered.shape != size:
            raise ValueError(f'of {covered.shape}, its image is {size}')
        return covered
    except Exception as error:  # its C code raises many kinds
        raise ValueError(
            f'{where}: needs polygons or runs as its segmentation. '
            f'Got: {str(outline)[:50]} ({error})'
        ) from None
