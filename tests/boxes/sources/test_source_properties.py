"""Boxes of all kinds in files, against clipping in float64."""

import csv
import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from box2seg_mmseg.boxes import ReadingReport, build_box_source

CLASSES = ('cat', 'dog')
WIDTH, HEIGHT = 40, 20
_number = (
    st.floats(-50, 90)
    | st.integers(-10, 50).map(float)
    | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e39, 1e-45])
)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Images a and b, and an index of them; the boxes are written later."""
    path = tmp_path_factory.mktemp('source')
    for folder in ('JPEGImages', 'detections'):
        (path / folder).mkdir()
    for name in 'ab':
        image = Image.new('RGB', (WIDTH, HEIGHT))
        image.save(path / f'JPEGImages/{name}.jpg')
    text = ''.join(f'/m/{name},{name}\n' for name in (*CLASSES, 'zebra'))
    (path / 'class-descriptions.csv').write_text(text)
    return path


@st.composite
def _entries(draw):
    """Image, class, corners and score of some boxes, good and bad."""
    return [
        (
            draw(st.sampled_from('abc')),
            draw(st.sampled_from([*CLASSES, 'zebra'])),
            [draw(_number) for _ in range(4)],
            draw(st.floats(0, 1) | st.sampled_from([-0.1, 1.5, math.nan])),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]


def _expected(entries, has_scores):
    """Boxes by image, and the counts of the others, by brute force."""
    boxes, counts = {'a': [], 'b': []}, dict(other=0, image=0, bad=0)
    for image, name, box, score in entries:
        stored = [_float32(v) for v in box]
        x1, y1, x2, y2 = (
            min(max(v, 0), limit)
            for v, limit in zip(stored, (WIDTH, HEIGHT) * 2, strict=True)
        )
        if image not in boxes:
            counts['image'] += 1
        elif name not in CLASSES:
            counts['other'] += 1
        elif (
            not all(map(math.isfinite, stored))
            or stored[0] >= stored[2]
            or stored[1] >= stored[3]
            or x1 >= x2
            or y1 >= y2
            or (has_scores and not 0 <= score <= 1)
        ):
            counts['bad'] += 1
        else:
            label = CLASSES.index(name) + 1
            boxes[image].append((label, (x1, y1, x2, y2)))
    return boxes, counts


def _float32(value):
    with np.errstate(over='ignore'):
        return float(np.float32(value))


def _check(root, kind, entries, has_scores=False, **options):
    source = build_box_source(
        dict(type=kind, data_root=root, classes=CLASSES, **options)
    )
    report = ReadingReport(skip_bad=True)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', '.*reached outside')
        items = {i.image_id: i for i in source.read(['a', 'b'], report)}
    boxes, counts = _expected(entries, has_scores)
    assert set(items) == set(boxes)
    for image, item in items.items():
        assert item.labels.tolist() == [label for label, _ in boxes[image]]
        want = np.array([b for _, b in boxes[image]]).reshape(-1, 4)
        assert np.array_equal(item.boxes, want)
    assert report.num_read == len(entries)
    assert report.num_used == sum(map(len, boxes.values()))
    assert report.num_other_classes == counts['other']
    assert report.num_other_images == counts['image']
    assert len(report.skipped) == counts['bad']


def _coco(entries):
    names = [*CLASSES, 'zebra']
    return [
        dict(
            image_id='abc'.index(image),
            category_id=names.index(name),
            bbox=[box[0], box[1], box[2] - box[0], box[3] - box[1]],
            score=score,
        )
        for image, name, box, score in entries
    ]


def _as_read(entries):
    """The same with the corners that xywh gives in float64."""
    return [
        (image, name, [x, y, x + (x2 - x), y + (y2 - y)], score)
        for image, name, (x, y, x2, y2), score in entries
    ]


def _index(found):
    return dict(
        images=[
            dict(id=i, file_name=f'{n}.jpg', width=WIDTH, height=HEIGHT)
            for i, n in enumerate('abc')
        ],
        categories=[
            dict(id=i, name=name) for i, name in enumerate([*CLASSES, 'zebra'])
        ],
        annotations=found,
    )


@given(entries=_entries())
def test_coco(root, entries):
    text = json.dumps(_index(_coco(entries)))
    (root / 'boxes.json').write_text(text)
    _check(root, 'COCOJSON', _as_read(entries))


@given(entries=_entries())
def test_detections(root, entries):
    (root / 'detections/images.json').write_text(json.dumps(_index([])))
    (root / 'detections/found.json').write_text(json.dumps(_coco(entries)))
    entries = _as_read(entries)
    _check(root, 'Detections', entries, True, score_threshold=0)


@given(entries=_entries())
def test_open_images(root, entries):
    entries = sorted(entries, key=lambda entry: entry[0])
    with (root / 'x-annotations-bbox.csv').open('w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow(['ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax'])
        for image, name, (x1, y1, x2, y2), _ in entries:
            shares = x1 / WIDTH, x2 / WIDTH, y1 / HEIGHT, y2 / HEIGHT
            rows.writerow([image, f'/m/{name}', *map(repr, shares)])
    scale = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    entries = [
        (image, name, [v / s * s for v, s in zip(box, scale, strict=True)], 0)
        for image, name, box, _ in entries
    ]
    _check(root, 'OpenImagesCSV', entries)
