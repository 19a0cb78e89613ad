import json

import numpy as np
import pytest
from preparation.coco import coco_image_names, write_coco_masks
from pycocotools import mask as mask_utils

from box2seg_mmseg.boxes import COCO_TO_VOC, VOC_CLASSES
from box2seg_mmseg.label_maps import read_label_png


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
    with pytest.raises(ValueError, match=r'annotation 1: needs polygons'):
        write_coco_masks(path, tmp_path)
    runs = dict(counts=[6], size=[3, 2])  # of another image
    _write(path, [dict(category_id=1, area=4, segmentation=runs)])
    with pytest.raises(ValueError, match=r'annotation 1: .*of \(3, 2\), its'):
        write_coco_masks(path, tmp_path)
    path.write_text('[]')
    with pytest.raises(ValueError, match='not a COCO annotation file'):
        write_coco_masks(path, tmp_path)


@pytest.mark.parametrize('name', ['../../x.png', '..\\x.png'])
def test_no_mask_is_written_outside_the_folder(tmp_path, name):
    path = _write(tmp_path / 'boxes.json', [])
    _edit(path, 'images', file_name=name)
    out = tmp_path / 'a/b/out'
    with pytest.raises(ValueError, match=r'boxes\.json: image 1: .*lie'):
        write_coco_masks(path, out)
    with pytest.raises(ValueError, match=r'boxes\.json: image 1: .*lie'):
        coco_image_names(path)
    assert list(tmp_path.rglob('x*')) == []


def _edit(path, key, **values):
    """Change the first entry of a list; None takes a value out."""
    content = json.loads(path.read_text())
    entry = content[key][0] | values
    content[key][0] = {k: v for k, v in entry.items() if v is not None}
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ('key', 'kind', 'names'),
    [
        ('images', 'image', ('id', 'file_name', 'height', 'width')),
        ('annotations', 'annotation', ('image_id', 'category_id', 'area')),
        ('categories', 'category', ('id', 'name')),
    ],
)
def test_what_an_entry_lacks_is_named(tmp_path, key, kind, names):
    square = dict(category_id=1, area=4, segmentation=_square(2, 2, 2))
    for name in names:
        for value in (None, []):
            path = _write(tmp_path / 'boxes.json', [square])
            _edit(path, key, **{name: value})
            message = rf"boxes\.json: {kind} 1: (has no '{name}'|{name} must)"
            with pytest.raises(ValueError, match=message):
                write_coco_masks(path, tmp_path)


def test_files_that_are_no_coco_files_are_named(tmp_path):
    path = _write(tmp_path / 'boxes.json', [])
    _edit(path, 'images', height=-1)
    with pytest.raises(ValueError, match=r'json: image 1: height must .*-1'):
        write_coco_masks(path, tmp_path)
    path.write_text('{"images": [')
    for read in (coco_image_names, lambda p: write_coco_masks(p, tmp_path)):
        with pytest.raises(ValueError, match=r'boxes\.json: not a readable'):
            read(path)
    path.write_text('{"images": 5}')
    with pytest.raises(ValueError, match='not a COCO annotation file'):
        coco_image_names(path)


@pytest.mark.parametrize('name', COCO_TO_VOC)
def test_vocs_names_are_understood(tmp_path, name):
    square = dict(category_id=1, area=4, segmentation=_square(2, 2, 2))
    path = _write(tmp_path / 'boxes.json', [square])
    _edit(path, 'categories', name=name)
    write_coco_masks(path, tmp_path, VOC_CLASSES)
    found = np.unique(read_label_png(tmp_path / 'some.png', 21))
    assert found.tolist() == [0, VOC_CLASSES.index(COCO_TO_VOC[name]) + 1]


def test_classes_that_are_none_of_the_file_are_told(tmp_path):
    path = _write(tmp_path / 'boxes.json', [])
    with pytest.raises(ValueError, match=r'boxes\.json: no category .*hund'):
        write_coco_masks(path, tmp_path, ['hund'])


def test_compressed_runs_are_those_of_pycocotools(tmp_path):
    mask = np.zeros((10, 12), np.uint8)
    mask[2:5, 3:9] = 1
    runs = mask_utils.encode(np.asfortranarray(mask))
    runs['counts'] = runs['counts'].decode()
    path = _write(
        tmp_path / 'boxes.json',
        [dict(category_id=1, area=18, segmentation=runs)],
    )
    write_coco_masks(path, tmp_path)
    got = read_label_png(tmp_path / 'some.png', 81)
    np.testing.assert_array_equal(got, mask)


@pytest.mark.parametrize('wrong', [dict(image_id='7'), dict(category_id=2)])
def test_ids_of_nothing_are_refused(tmp_path, wrong):
    square = dict(category_id=1, area=4, segmentation=_square(2, 2, 2))
    path = _write(tmp_path / 'boxes.json', [square | wrong])
    (key,) = wrong
    with pytest.raises(ValueError, match=rf'annotation 1: {key} is not in '):
        write_coco_masks(path, tmp_path)
