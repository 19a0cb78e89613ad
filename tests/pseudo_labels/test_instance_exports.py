"""Masks per box, read back with pycocotools and with our own box source."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw
from rendered_scenes import SCENE_CLASSES
from scipy.ndimage import binary_fill_holes

from box2seg_mmseg.boxes import COCOJSON, VOCXML, BoxAnnotations, pixel_boxes
from box2seg_mmseg.files import FolderError
from box2seg_mmseg.pseudo_labels import (
    PseudoLabeler,
    Segment,
    StoreError,
    generate_pseudo_labels,
    verify_pseudo_labels,
)

pytest.importorskip('pycocotools', reason="needs the extra 'coco'")
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = ('cat', 'dog')
SIZE = (40, 50)
FORMATS = ('coco-rle', 'coco-polygons', 'yolo')


class _Blobs(PseudoLabeler):
    """Segments that depend on the box alone, with holes and ignored pixels.

    Boxes less than 5 pixels wide have no foreground; one that begins at the
    left side of the image is filled.
    """

    def segmenter(self, image):
        return self._segment

    def _segment(self, box):
        x1, y1, x2, y2 = box
        if x1 == 0:
            filled = np.ones((y2 - y1, x2 - x1), np.uint8)
            return Segment(filled, 'at the side')
        rng = np.random.default_rng(box)
        values = rng.choice(
            np.array([0, 1, 1, 255], np.uint8), (y2 - y1, x2 - x1)
        )
        if x2 - x1 < 5:
            values[values == 1] = 0
        return Segment(values)


@pytest.fixture
def source(tmp_path):
    """Two images with numbers and boxes with ids, in COCO's format."""
    for name in ('b/second', 'first'):
        path = tmp_path / f'images/{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', SIZE[::-1]).save(path)
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
    return COCOJSON(tmp_path, CLASSES, 'images')


IDS = ['first', 'b/second']


def _run(source, out, formats=FORMATS, ids=IDS, **options):
    items = source.read(ids)
    options = dict(classes=CLASSES, instances=formats) | options
    return generate_pseudo_labels(items, _Blobs(), out, **options)


def _segments(source):
    """The foreground of each box by its id, on the whole image."""
    masks = {}
    for item in source.read(IDS):
        boxes = pixel_boxes(item.boxes, item.size).tolist()
        for box_id, (x1, y1, x2, y2) in zip(item.ids, boxes, strict=True):
            mask = np.zeros(item.size, bool)
            values = _Blobs()._segment((x1, y1, x2, y2)).values
            mask[y1:y2, x1:x2] = values == 1
            masks[box_id] = mask
    return masks


def _iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_rle_masks_are_the_segments_under_the_ids_of_the_boxes(
    source, tmp_path
):
    out = tmp_path / 'out'
    assert _run(source, out).errors == []
    coco = COCO(out / 'instances/coco-rle.json')
    masks = _segments(source)
    assert set(coco.anns) == set(masks) == {301, 12, 7, 8, 5}
    for box_id, mask in masks.items():
        got = coco.anns[box_id]
        assert np.array_equal(coco.annToMask(got).astype(bool), mask)
        assert got['area'] == mask.sum()
        assert got.get('fallback') == ('at the side' if box_id == 12 else None)
        assert got['iscrowd'] == (box_id == 5)
    assert {k: v['file_name'] for k, v in coco.imgs.items()} == {
        31: 'b/second.png',
        70: 'first.png',
    }
    assert [(c['id'], c['name']) for c in coco.dataset['categories']] == [
        (1, 'cat'),
        (2, 'dog'),
    ]


def test_polygons_fill_the_holes_of_the_segments(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out)
    coco = COCO(out / 'instances/coco-polygons.json')
    for box_id, mask in _segments(source).items():
        entry = coco.anns[box_id]
        got = coco.annToMask(entry).astype(bool)
        as_polygons = isinstance(entry['segmentation'], list)
        # Neither a crowd nor an empty mask has polygons.
        assert as_polygons == (box_id not in (5, 8))
        assert np.array_equal(
            got, binary_fill_holes(mask) if as_polygons else mask
        )


@pytest.mark.parametrize('name', ['coco-rle', 'coco-polygons'])
def test_our_own_source_reads_the_boxes_back(source, tmp_path, name):
    out = tmp_path / 'out'
    _run(source, out)
    written = COCOJSON(
        tmp_path, CLASSES, 'images', out / f'instances/{name}.json'
    )
    for old, new in zip(source.read(IDS), written.read(IDS), strict=True):
        assert new.boxes.tolist() == old.boxes.tolist()
        assert new.labels.tolist() == old.labels.tolist()
        assert new.ids.tolist() == old.ids.tolist()
        assert new.flags['crowd'].tolist() == old.flags['crowd'].tolist()
        assert new.source_id == old.source_id
        assert new.image_path == old.image_path


@pytest.mark.parametrize('name', ['coco-rle', 'coco-polygons'])
def test_cocoeval_finds_the_masks_in_themselves(source, tmp_path, name):
    path, out = tmp_path / 'boxes.json', tmp_path / 'out'
    content = json.loads(path.read_text())
    del content['annotations'][3]  # COCOeval never finds an empty mask
    path.write_text(json.dumps(content))
    _run(source, out)
    coco = COCO(out / f'instances/{name}.json')
    results = [
        {
            **{k: entry[k] for k in ('image_id', 'category_id')},
            'segmentation': coco.annToRLE(entry),
            'score': 1.0,
        }
        for entry in coco.anns.values()
        if not entry['iscrowd']
    ]
    evaluation = COCOeval(coco, coco.loadRes(results), 'segm')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_yolo_has_one_outline_per_box(source, tmp_path):
    out = tmp_path / 'out'
    _run(source, out)
    masks = _segments(source)
    for item in source.read(IDS):
        text = (out / f'instances/labels/{item.image_id}.txt').read_text()
        kept = [i for i in item.ids if masks[i].any()]  # 8 is empty
        lines = text.splitlines()
        assert len(lines) == len(kept)
        labels = dict(zip(item.ids, item.labels, strict=True))
        for line, box_id in zip(lines, kept, strict=True):
            label, *numbers = line.split()
            assert int(label) == labels[box_id] - 1
            shares = np.array(numbers, float).reshape(-1, 2)
            assert (shares >= 0).all() and (shares <= 1).all()
            # 8 times as large, so that the drawn line itself is thin.
            canvas = Image.new('1', (8 * SIZE[1], 8 * SIZE[0]))
            corners = shares * canvas.size - 0.5
            draw = ImageDraw.Draw(canvas)
            draw.polygon([*map(tuple, corners)], fill=1)
            drawn = np.array(canvas)[4::8, 4::8]
            assert _iou(drawn, binary_fill_holes(masks[box_id])) == 1


def test_boxes_without_ids_are_numbered(scenes, tmp_path):
    source = VOCXML(scenes, SCENE_CLASSES)
    ids = ['train_0002', 'train_0000', 'train_0001']
    _run(source, tmp_path, ids=ids, classes=SCENE_CLASSES)
    coco = COCO(tmp_path / 'instances/coco-rle.json')
    assert [*coco.imgs] == [1, 2, 3]
    names = [image['file_name'] for image in coco.imgs.values()]
    assert names == [f'{name}.jpg' for name in sorted(ids)]
    assert [*coco.anns] == [*range(1, len(coco.anns) + 1)]


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
            _Blobs(),
            tmp_path / 'out',
            classes=CLASSES,
            instances=['coco-rle'],
        )
        text = (tmp_path / 'out/instances/coco-rle.json').read_text()
        return [entry['id'] for entry in json.loads(text)['annotations']]

    assert run([None, 6, 'x']) == [7, 6, 'x']
    with pytest.raises(ValueError, match='two boxes have the id 6; renumber'):
        run([6, 6, None])
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
    (tmp_path / 'images/first.png').unlink()
    assert len(_run(source, out, ['coco-rle']).errors) == 1
    assert not (out / 'instances/labels/first.txt').exists()
    assert [*COCO(out / 'instances/coco-rle.json').imgs] == [31]


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
