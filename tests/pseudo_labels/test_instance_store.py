"""The files of instance masks through reruns, changes and damage."""

import json

import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.boxes import BoxAnnotations
from box2seg_mmseg.files import FolderError
from box2seg_mmseg.pseudo_labels import (
    StoreError,
    build_labeler,
    generate_pseudo_labels,
    verify_pseudo_labels,
)

pytest.importorskip('pycocotools', reason="needs the extra 'coco'")
from pycocotools.coco import COCO

CLASSES = ('cat', 'dog')
SIZE = (40, 50)
FORMATS = ('coco-rle', 'coco-polygons', 'yolo')
IDS = ['first', 'b/second']
BOX_FILL = build_labeler(dict(type='BoxFill'))


def _run(source, out, formats=FORMATS, ids=IDS, **options):
    items = source.read(ids)
    options = dict(classes=CLASSES, instances=formats) | options
    return generate_pseudo_labels(items, BOX_FILL, out, **options)


def test_ids_are_only_given_to_boxes_without_one(tmp_path):
    Image.new('RGB', SIZE[::-1]).save(tmp_path / 'a.png')
    boxes = [[1, 1, 9, 9]] * 3

    def run(ids, **options):
        item = BoxAnnotations(
            'a',
            str(tmp_path / 'a.png'),
            SIZE,
            boxes,
            [1, 2, 1],
            ids=np.array(ids, object),
        )
        generate_pseudo_labels(
            [item],
            BOX_FILL,
            tmp_path / 'out',
            classes=CLASSES,
            instances=['coco-rle'],
        )
        text = (tmp_path / 'out/instances/coco-rle.json').read_text()
        return [entry['id'] for entry in json.loads(text)['annotations']]

    assert run([None, 6, 'x']) == [7, 6, 'x']
    with pytest.warns(UserWarning, match='two boxes have the id 6, so all'):
        assert run([6, 6, None]) == [1, 2, 3]
    assert run([1, 2, 3]) == [1, 2, 3]


def _contents(folder):
    files = (p for p in folder.rglob('*') if p.is_file())
    return {p.relative_to(folder): p.read_bytes() for p in files}


def test_a_rerun_restores_what_is_missing_or_altered(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out)
    first = _contents(out)
    assert verify_pseudo_labels(out) == []
    assert _run(source, out).num_kept == 2
    assert _contents(out) == first
    for name, num_kept in (
        ('masks/first.json', 1),
        ('labels/b/second.txt', 2),
        ('coco-polygons.json', 2),
        ('exported.json', 2),
    ):
        path = out / 'instances' / name
        for damage in ('missing', 'altered'):
            path.unlink()
            if damage == 'altered' and name != 'exported.json':
                path.write_text('')
            (problem,) = verify_pseudo_labels(out)
            assert problem.startswith(f'{path}: missing')
            assert _run(source, out).num_kept == num_kept
            assert _contents(out) == first


def test_files_that_cannot_be_read_are_named(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out)
    masks = out / 'instances/masks/first.json'
    kept = masks.read_bytes()
    masks.write_text('[')
    with pytest.raises(FolderError, match=r'first\.json: cannot be read; del'):
        _run(source, out, ids=['b/second'])
    masks.unlink()
    (error,) = _run(source, out, ids=['b/second']).errors
    assert f'{masks}: could not write the records or the masks' in error
    assert _run(source, out).errors == []
    assert masks.read_bytes() == kept
    (out / 'instances/exported.json').write_text('')
    with pytest.raises(FolderError, match=r'exported\.json: cannot be read'):
        verify_pseudo_labels(out)


def test_exports_keep_a_photograph_that_is_gone_for_one_run(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out)
    first = _contents(out / 'instances')
    path = tmp_path / 'images/first.png'
    path.rename(tmp_path / 'elsewhere.png')
    assert len(_run(source, out).errors) == 1
    assert _contents(out / 'instances') == first
    (tmp_path / 'elsewhere.png').rename(path)
    assert _run(source, out, ids=['b/second']).errors == []
    assert _contents(out / 'instances') == first
    assert verify_pseudo_labels(out) == []


def test_formats_are_added_and_follow_the_boxes(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out, ['yolo'])
    assert not (out / 'instances/coco-rle.json').exists()
    assert _run(source, out, ['coco-rle']).num_kept == 2
    before = (out / 'instances/labels/first.txt').read_text()
    path = tmp_path / 'boxes.json'
    content = json.loads(path.read_text())
    content['annotations'][0]['bbox'][2] = 25
    content['annotations'][2]['id'] = 99
    path.write_text(json.dumps(content))
    assert _run(source, out, ['coco-rle']).num_kept == 1
    assert (out / 'instances/labels/first.txt').read_text() != before
    assert 99 in COCO(out / 'instances/coco-rle.json').anns
    (tmp_path / 'images/first.png').write_bytes(b'')
    assert len(_run(source, out, ['coco-rle']).errors) == 1
    assert not (out / 'instances/labels/first.txt').exists()
    assert not (out / 'instances/masks/first.json').exists()
    assert [*COCO(out / 'instances/coco-rle.json').imgs] == [31]


def test_two_box_files_with_the_same_ids_share_a_folder(source, tmp_path):
    out = tmp_path / 'out'
    path = tmp_path / 'boxes.json'
    content = json.loads(path.read_text())
    images = content['images']
    for image in images:
        content['images'] = [{**image, 'id': 1}]
        entry = dict(id=1, image_id=1, category_id=4, bbox=[1, 1, 9, 9])
        content['annotations'] = [entry]
        path.write_text(json.dumps(content))
        ids = [image['file_name'].removesuffix('.png')]
        if image is images[-1]:
            with pytest.warns(UserWarning, match='two .* have the id 1, so'):
                _run(source, out, ids=ids)
        else:
            _run(source, out, ids=ids)
    coco = COCO(out / 'instances/coco-rle.json')
    assert [*coco.imgs] == [*coco.anns] == [1, 2]
    assert [e['image_id'] for e in coco.anns.values()] == [1, 2]
    assert verify_pseudo_labels(out) == []


def test_records_are_finished_if_an_export_fails(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out, ['yolo'])
    (out / 'instances/coco-rle.json').mkdir()
    (error,) = _run(source, out, ['coco-rle']).errors
    assert 'coco-rle.json: could not write' in error
    assert not (out / 'records.part.jsonl').exists()
    assert all('labels/' in line for line in verify_pseudo_labels(out))
    (out / 'instances/coco-rle.json').rmdir()
    assert _run(source, out, ['coco-rle']).num_kept == 2
    assert verify_pseudo_labels(out) == []


def test_masks_are_made_for_all_images_of_a_folder(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out, ())
    assert not (out / 'instances').exists()
    with pytest.raises(StoreError, match='instances none -> masks'):
        _run(source, out)
    _run(source, out, overwrite=True)
    with pytest.raises(StoreError, match='instances masks -> none'):
        _run(source, out, ())
    _run(source, out, (), overwrite=True)
    assert [p for p in (out / 'instances').rglob('*') if p.is_file()] == []
    assert verify_pseudo_labels(out) == []


def test_bad_arguments_are_told(source, tmp_path):
    with pytest.raises(
        ValueError, match=r"must be of coco-rle, .* Got: 'svg'"
    ):
        _run(source, tmp_path / 'out', ['svg'])
    with pytest.raises(ValueError, match='yolo need the class names'):
        _run(source, tmp_path / 'out', ['yolo'], classes=None)
    assert not (tmp_path / 'out').exists()
