import json

import pytest
from PIL import Image

from box2seg_mmseg.boxes import COCOJSON


@pytest.fixture
def source(tmp_path):
    """Two images, first and b/second, and boxes with ids, in COCO's format.

    Box 8 is narrow, box 12 touches the left side, box 5 is a crowd.
    """
    for name in ('b/second', 'first'):
        path = tmp_path / f'images/{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (50, 40)).save(path)
    boxes = [
        (301, 70, 2, (3, 4, 20.5, 30.25)),
        (12, 31, 1, (0, 2, 9, 9)),
        (7, 70, 1, (30.1, 10.7, 15, 20)),
        (8, 70, 1, (4, 4, 3, 20)),
        (5, 31, 2, (20, 20, 30, 20)),
    ]
    content = dict(
        images=[
            dict(id=70, file_name='first.png', width=50, height=40),
            dict(id=31, file_name='b/second.png', width=50, height=40),
        ],
        categories=[dict(id=4, name='dog'), dict(id=9, name='cat')],
        annotations=[
            dict(
                id=box_id,
                image_id=image,
                category_id={2: 4, 1: 9}[label],
                bbox=[*bbox],
                iscrowd=int(box_id == 5),
            )
            for box_id, image, label, bbox in boxes
        ],
    )
    (tmp_path / 'boxes.json').write_text(json.dumps(content))
    return COCOJSON(tmp_path, ('cat', 'dog'), 'images')
