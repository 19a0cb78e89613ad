"""Masks per box, read back with pycocotools and with our own box source."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw
from rendered_scenes import SCENE_CLASSES
from scipy.ndimage import binary_fill_holes

from box2seg_mmseg.boxes import COCOJSON, VOCXML, pixel_boxes
from box2seg_mmseg.pseudo_labels import (
    PseudoLabeler,
    Segment,
    generate_pseudo_labels,
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
