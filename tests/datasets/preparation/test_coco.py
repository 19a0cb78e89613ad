import json

import numpy as np
import pytest

from box2seg_mmseg.datasets.preparation import (
    coco_image_names,
    write_coco_masks,
)
from box2seg_mmseg.pseudo_labels import read_label_png


def _square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def _write(path, annotations):
    content = dict(
        images=[dict(id=7, file_name='some.jpg', width=12, height=10)],
        annotations=[
            dict(dict(id=i, image_id=7, iscrowd=0), **a)
            for i, a in enumerate(annotations)
        ],
        categories=[
            dict(id=1, name='person'),
            dict(id=18, name='dog'),
            dict(id=99, name='unicorn'),
        ],
    )
    path.write_text(json.dumps(content))
    return path


def test_small_instances_win_and_crowds_are_ignored(tmp_path):
    runs = dict(size=[10, 12], counts=[100, 20])  # the last two columns
    path = _write(
        tmp_path / 'boxes.json',
        [
            dict(category_id=18, area=4, segmentation=_square(2, 2, 2)),
            dict(category_id=1, area=36, segmentation=_square(1, 1, 6)),
            dict(category_id=99, area=4, segmentation=_square(8, 0, 2)),
            dict(category_id=1, area=20, segmentation=runs, iscrowd=1),
        ],
    )
    assert write_coco_masks(path, tmp_path / 'out') == ['some']
    assert coco_image_names(path) == ['some']
    want = np.zeros((10, 12), np.uint8)
    want[:, 10:] = 255
    want[1:7, 1:7] = 1
    want[2:4, 2:4] = 17  # dog is the 17th of COCO's classes
    got = read_label_png(tmp_path / 'out/some.png', 81)
    np.testing.assert_array_equal(got, want)


def test_an_instance_without_outline_is_named(tmp_path):
    path = _write(
        tmp_path / 'boxes.json',
        [dict(category_id=1, area=4, segmentation=[])],
    )
    with pytest.raises(ValueError, match=r'annotation 0: needs polygons'):
        write_coco_masks(path, tmp_path)
    path.write_text('[]')
    with pytest.raises(ValueError, match='not a COCO annotation file'):
        write_coco_masks(path, tmp_path)
