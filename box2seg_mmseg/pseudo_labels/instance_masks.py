"""The exact masks of an image's boxes, in a file of their own."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..boxes import BoxAnnotations, pixel_boxes
from ..files import FolderError, replacing
from .labelers.segment import Segment

AGAIN = 'run generate_pseudo_labels again'
INSTANCES = 'instances'
"""The folder of the masks in a folder of pseudo labels."""

Content = dict[str, Any]


def mask_path(folder: Path, image_id: str) -> Path:
    """Path of the masks of an image in a folder of pseudo labels."""
    return folder / INSTANCES / 'masks' / f'{image_id}.json'


def write_masks(
    path: Path, annotations: BoxAnnotations, segments: Sequence[Segment]
) -> bytes:
    """Write the masks of an image; ignored pixels are not part of them.

    The file has COCO's entries of the image and of its boxes, with those ids
    that the source of the boxes has.

    Args:
        path: See :func:`mask_path`.
        annotations: The boxes.
        segments: One per box.

    Returns:
        The bytes of the file.
    """
    image_id, size = annotations.image_id, annotations.size
    crowd = annotations.flags.get('crowd', np.zeros(len(segments), bool))
    entries = []
    for i, (segment, pixels) in enumerate(
        zip(segments, pixel_boxes(annotations.boxes, size), strict=True)
    ):
        left, top, right, bottom = pixels
        mask = np.zeros(size, np.uint8, order='F')
        mask[top:bottom, left:right] = segment.values == 1
        rle = mask_utils().encode(mask)
        x1, y1, x2, y2 = annotations.boxes[i].tolist()
        entry = dict(
            id=None if annotations.ids is None else annotations.ids[i],
            category_id=int(annotations.labels[i]),
            bbox=[x1, y1, x2 - x1, y2 - y1],
            area=int(np.count_nonzero(mask)),
            iscrowd=int(crowd[i]),
            segmentation={'size': [*size], 'counts': rle['counts'].decode()},
        )
        if segment.fallback is not None:
            entry['fallback'] = segment.fallback
        entries.append(entry)
    image = dict(
        id=annotations.source_id,
        file_name=image_id + Path(annotations.image_path).suffix,
        height=size[0],
        width=size[1],
    )
    data = json.dumps([image, entries]).encode()
    with replacing(path) as part:
        part.write_bytes(data)
    return data


def read_masks(folder: Path, image_id: str) -> tuple[Content, list[Content]]:
    """COCO's entries of an image and of its boxes, from its masks."""
    image, entries = read_json(mask_path(folder, image_id))
    return image, entries


def read_json(path: Path) -> Any:
    """Read a file that was written here.

    Raises:
        FolderError: It was altered and is no JSON any more.
    """
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise FolderError(
            f'{path}: cannot be read; delete it and {AGAIN}: {error}'
        ) from None


def mask_utils() -> ModuleType:
    """The module ``pycocotools.mask``.

    Raises:
        ImportError: pycocotools is not installed.
    """
    try:
        from pycocotools import mask
    except ImportError:
        raise ImportError(
            'masks of instances need pycocotools; '
            "pip install 'box2seg-mmseg[coco]'"
        ) from None
    return mask
