"""A small data set in every annotation format, for the fuzzer to damage."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ('cat', 'dog', 'car')
NAMES = (*CLASSES, 'zebra')  # the last one is not asked for
# (W, H) in powers of two, so that shares of them are exact.
SIZES = {'a': (64, 32), 'b': (32, 64), 'sub/c': (16, 16), 'd': (128, 64)}
# Image, class, xyxy in pixels.
ENTRIES = (
    ('a', 'cat', (2, 3, 12, 13)),
    ('a', 'zebra', (1, 1, 9, 9)),
    ('a', 'dog', (20, 8, 64, 32)),
    ('b', 'dog', (0, 0, 32, 64)),
    ('sub/c', 'car', (4, 4, 12, 13)),
    ('sub/c', 'cat', (1, 2, 15, 15)),
    ('d', 'car', (100, 10, 120, 60)),
    ('d', 'cat', (10, 10, 20, 20)),
)
BOXES = [
    (image, CLASSES.index(name) + 1, tuple(map(float, box)))
    for image, name, box in ENTRIES
    if name in CLASSES
]
"""What a clean read gives: image, label and box."""

SOURCES = {
    'voc': dict(type='VOCXML'),
    'coco': dict(type='COCOJSON'),
    'detections': dict(type='Detections', score_threshold=0),
    'openimages': dict(type='OpenImagesCSV'),
    'yolo': dict(type='YOLOTxt'),
}
FILES = {
    'voc': [f'Annotations/{image}.xml' for image in SIZES],
    'coco': ['boxes.json'],
    'detections': ['detections/found.json', 'detections/images.json'],
    'openimages': ['my-annotations-bbox.csv', 'class-descriptions.csv'],
    'yolo': [f'labels/{image}.txt' for image in SIZES] + ['data.yaml'],
}
"""The files of each format that are damaged."""


def write_data(root: Path) -> None:
    """Write images, a split and the boxes in all formats."""
    (root / 'detections').mkdir(parents=True)
    for i, (image, size) in enumerate(SIZES.items()):
        own = [entry for entry in ENTRIES if entry[0] == image]
        for folder in ('images', 'Annotations', 'labels'):
            (root / folder / image).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((size[1], size[0], 3), 40 * i, np.uint8)
        Image.fromarray(pixels).save(root / f'images/{image}.jpg')
        (root / f'Annotations/{image}.xml').write_text(_xml(image, own))
        (root / f'labels/{image}.txt').write_text(_txt(size, own))
    index = dict(
        images=[
            dict(id=i, file_name=f'{name}.jpg', width=width, height=height)
            for i, (name, (width, height)) in enumerate(SIZES.items())
        ],
        categories=[dict(id=i, name=name) for i, name in enumerate(NAMES)],
        annotations=[
            _coco(*entry) | dict(id=i, iscrowd=0)
            for i, entry in enumerate(ENTRIES)
        ],
    )
    found = [_coco(*entry) | dict(score=0.75) for entry in ENTRIES]
    for name, content in (
        ('boxes', index),
        ('detections/images', index),
        ('detections/found', found),
    ):
        (root / f'{name}.json').write_text(json.dumps(content))
    rows = ['ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf']
    rows += [_row(*entry) for entry in ENTRIES]
    text = '\n'.join(rows) + '\n'
    (root / 'my-annotations-bbox.csv').write_text(text)
    (root / 'class-descriptions.csv').write_text(
        ''.join(f'/m/{name},{name}\n' for name in NAMES)
    )
    names = ''.join(f'  {i}: {name}\n' for i, name in enumerate(NAMES))
    (root / 'data.yaml').write_text(f'path: .\ntrain: images\nnames:\n{names}')
    (root / 'classes.txt').write_text('\n'.join(CLASSES))
    (root / 'ids.txt').write_text('\n'.join(SIZES) + '\n')


def _xml(image: str, entries: list) -> str:
    width, height = SIZES[image]
    objects = ''.join(
        f'<object><name>{name}</name><difficult>0</difficult><bndbox>'
        f'<xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>'
        f'<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>\n'
        for _, name, (x1, y1, x2, y2) in entries
    )
    return (
        f'<annotation><filename>{image}.jpg</filename>\n<size>'
        f'<width>{width}</width><height>{height}</height><depth>3</depth>'
        f'</size>\n{objects}</annotation>\n'
    )


def _txt(size: tuple[int, int], entries: list) -> str:
    width, height = size
    return ''.join(
        f'{NAMES.index(name)} {(x1 + x2) / 2 / width} '
        f'{(y1 + y2) / 2 / height} {(x2 - x1) / width} '
        f'{(y2 - y1) / height}\n'
        for _, name, (x1, y1, x2, y2) in entries
    )


def _coco(image: str, name: str, box: tuple) -> dict:
    x1, y1, x2, y2 = box
    return dict(
        image_id=list(SIZES).index(image),
        category_id=NAMES.index(name),
        bbox=[x1, y1, x2 - x1, y2 - y1],
    )


def _row(image: str, name: str, box: tuple) -> str:
    width, height = SIZES[image]
    x1, y1, x2, y2 = box
    shares = x1 / width, x2 / width, y1 / height, y2 / height
    return ','.join(map(str, (image, f'/m/{name}', *shares, 0)))
