import json

import numpy as np
import pytest

from box2seg_mmseg.boxes import (
    COCOJSON,
    AnnotationError,
    BoxAnnotations,
    Detections,
    ReadingReport,
    add_box_noise,
    select_detections,
)
from box2seg_mmseg.boxes.sources.coco_file import read_json


def _index(tmp_path, *annotations, names=('b/cat.jpg', 'dog.png')):
    """Two images of 30 x 20 px; category 7 is the couch, 9 the zebra."""
    content = dict(
        images=[
            dict(id=i, file_name=name, width=30, height=20)
            for i, name in enumerate(names)
        ],
        categories=[
            dict(id=7, name='couch'),
            dict(id=8, name='dog'),
            dict(id=9, name='zebra'),
        ],
        annotations=list(annotations),
    )
    path = tmp_path / 'boxes.json'
    path.write_text(json.dumps(content))
    return path


def _source(path, classes=None):
    return COCOJSON(path.parent, classes, image_dir='', box_file=path.name)


def _box(image=0, category=7, bbox=(2, 3, 4, 5), **more):
    return dict(image_id=image, category_id=category, bbox=list(bbox), **more)


def test_ids_stay_with_their_boxes(tmp_path):
    path = _index(
        tmp_path,
        _box(0, 8, id=30),
        _box(0, 9, id=31),
        _box(0, 7, id='x', iscrowd=1),
        _box(0, 8, bbox=(20, 10, 3, 4)),
        _box(0, 8, bbox=(9, 9, 3, 4), id=1.5),
    )
    cat, dog = _source(path).read(['b/cat', 'dog'])
    assert cat.ids.tolist() == [30, 'x', None, None]
    assert cat.take(np.array([2, 0])).ids.tolist() == [None, 30]
    assert [cat.source_id, dog.source_id, dog.ids] == [0, 1, None]
    # The first dog merges with the third, then the second with both.
    merged = add_box_noise(cat, 'merge', 1.0)
    assert merged.ids.tolist() == ['x', None]
    with pytest.raises(AnnotationError, match='ids must have one value per b'):
        BoxAnnotations('a', 'a', (9, 9), [], [], ids=cat.ids)


def test_boxes_go_to_their_images_under_vocs_names(tmp_path):
    path = _index(
        tmp_path,
        _box(segmentation=[[1, 2, 3, 4]], iscrowd=1),
        _box(1, 8, (0, 0, 30, 20)),
        _box(0, 9),
        _box(0, 8, (20.5, 10, 40, 5)),
    )
    report = ReadingReport()
    with pytest.warns(UserWarning, match='1 boxes in 1 images'):
        dog, cat = _source(path).read(['dog', 'b/cat'], report)
    assert cat.boxes.tolist() == [[2, 3, 6, 8], [20.5, 10, 30, 15]]
    assert cat.labels.tolist() == [18, 12]
    assert cat.flags['crowd'].tolist() == [True, False]
    assert cat.size == (20, 30) and cat.image_id == 'b/cat'
    assert cat.image_path == str(tmp_path / 'b/cat.jpg')
    assert dog.boxes.tolist() == [[0, 0, 30, 20]]
    assert (report.num_read, report.num_used) == (4, 3)
    assert report.num_other_classes == 1 and not report.skipped


@pytest.mark.parametrize(
    ('box', 'message'),
    [
        (_box(bbox=(2, 3, 0, 5)), r'x1 < x2 .*bbox \[2, 3, 0, 5\]'),
        (_box(bbox=(2, 3, float('nan'), 5)), 'four finite numbers'),
        (_box(bbox=(2, 3, 'x', 5)), 'bbox must be 4 numbers'),
        (_box(bbox=(2, 3, 5)), 'bbox must be 4 numbers'),
        (_box(bbox=(40, 3, 5, 5)), 'entirely outside the image of 30 x 20'),
        (_box(image=5), 'image_id is not in'),
        (_box(image=[5]), "has no 'image_id'"),
        (_box(category=70), 'category_id is not in'),
        (dict(image_id=0), "has no 'category_id'"),
        ('box', "has no 'image_id'"),
    ],
)
def test_bad_annotations_stop_or_are_listed(tmp_path, box, message):
    path = _index(tmp_path, _box(), box, _box(1))
    where = rf'boxes\.json: annotation 2: .*{message}'
    with pytest.raises(AnnotationError, match=where):
        list(_source(path).read(['b/cat', 'dog']))
    report = ReadingReport(skip_bad=True)
    got = list(_source(path).read(['b/cat', 'dog'], report))
    assert [len(item.boxes) for item in got] == [1, 1]
    assert (report.num_read, report.num_used) == (3, 2)
    assert len(report.skipped) == 1


def test_a_misspelt_class_is_told(tmp_path):
    path = _index(tmp_path, _box(), _box(1, 8))
    with pytest.warns(
        UserWarning, match=r'boxes\.json: has no class named zbra,'
    ):
        items = list(_source(path, ('couch', 'zbra', 'dog')).read(['dog']))
    assert items[0].labels.tolist() == [3]


def test_spaces_around_category_names_do_not_matter(tmp_path):
    path = _index(tmp_path, _box(1, 8))
    path.write_text(path.read_text().replace('"dog"', '"dog "'))
    (item,) = _source(path, ('couch', 'dog')).read(['dog'])
    assert item.labels.tolist() == [2]


def test_bad_files_and_images_are_named(tmp_path):
    path = _index(tmp_path)
    with pytest.raises(AnnotationError, match='no image mouse'):
        list(_source(path).read(['mouse']))
    for text in ('{', '[]', '{"images": 3}'):
        path.write_text(text)
        with pytest.raises(AnnotationError, match=r'boxes\.json: not a'):
            list(_source(path).read(['dog']))
    with pytest.raises(AnnotationError, match=r'none\.json: no such'):
        read_json(tmp_path / 'none.json')
    with pytest.raises(AnnotationError, match='a second image dog'):
        path = _index(tmp_path, names=('dog.png', 'dog.jpg'))
        list(_source(path).read(['dog']))


@pytest.mark.parametrize('key', ['images', 'categories'])
def test_two_of_one_id_are_told(tmp_path, key):
    """As when two files are put together: boxes would change their owner."""
    path = _index(tmp_path, _box())
    content = json.loads(path.read_text())
    content[key][1]['id'] = content[key][0]['id']
    path.write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=r' 2: the id \d is taken'):
        list(_source(path).read(['dog']))


def test_an_image_without_a_size_stops_or_is_listed(tmp_path):
    path = _index(tmp_path, _box(), _box(1))
    content = json.loads(path.read_text())
    content['images'][0]['height'] = None
    # As some editors save it.
    path.write_text(json.dumps(content), encoding='utf-8-sig')
    ids = ['b/cat', 'dog']
    with pytest.raises(AnnotationError, match='cat: height must be a whole'):
        list(_source(path).read(ids))
    report = ReadingReport(skip_bad=True)
    (dog,) = _source(path).read(ids, report)
    assert dog.image_id == 'dog' and len(dog.boxes) == 1
    assert len(report.skipped) == 1


@pytest.mark.parametrize(
    'name',
    ['../dog.png', '/etc/dog.png', 'a/../../dog.png', r'..\dog.png', ''],
)
def test_images_outside_the_image_folder_are_refused(tmp_path, name):
    path = _index(tmp_path, names=(name,))
    with pytest.raises(AnnotationError, match='must lie in the image folder'):
        list(_source(path).read(['dog']))


def test_coco_mini(data_dir):
    root = data_dir / 'coco-mini'
    ids = (root / 'train.txt').read_text().split()
    report = ReadingReport()
    got = list(COCOJSON(root).read(ids, report))
    assert len(got) == 137 and report.num_read == report.num_used == 674
    assert got[0].boxes[0].tolist() == pytest.approx(
        [204.86, 31.02, 204.86 + 254.88, 31.02 + 324.12], abs=1e-3
    )
    assert got[0].labels[0] == 16


def _detect(tmp_path, *detections, **options):
    results = tmp_path / 'results.json'
    results.write_text(json.dumps(list(detections)))
    return next(
        Detections(
            tmp_path,
            image_dir='',
            box_file=results,
            index_file=_index(tmp_path),
            **options,
        ).read(['b/cat'])
    )


def test_detections_below_the_threshold_are_left_out(tmp_path):
    found = (_box(score=0.5), _box(score=0.49), _box(1, score=0.9))
    got = _detect(tmp_path, *found, score_threshold=0.5)
    assert got.scores.tolist() == [0.5] and 'crowd' not in got.flags
    for score in (1.5, float('nan'), None, 'high'):
        with pytest.raises(AnnotationError, match=r'detection 1: .*score'):
            _detect(tmp_path, _box(score=score))


def test_nms_keeps_the_best_of_each_class():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 40, (60, 2))
    boxes = np.hstack([low, low + rng.integers(8, 40, (60, 2))])
    labels = rng.integers(1, 4, 60)
    scores = rng.permutation(np.linspace(0, 1, 60)).astype(np.float32)
    item = BoxAnnotations('x', 'x', (99, 99), boxes, labels, scores)
    kept: list[int] = []
    for i in np.argsort(-scores):
        rivals = [k for k in kept if labels[k] == labels[i]]
        if all(_iou(boxes[i], boxes[k]) <= 0.3 for k in rivals):
            kept.append(i)
    assert 3 < len(kept) < 60
    got = select_detections(item, 0.0, nms_iou=0.3)
    assert got.boxes.tolist() == boxes[sorted(kept)].tolist()
    assert got.scores.tolist() == scores[sorted(kept)].tolist()


def _iou(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    overlap = np.prod(np.clip(high - low, 0, None))
    areas = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])
    return overlap / (areas - overlap)


def test_the_box_of_a_low_detection_may_be_empty(tmp_path):
    found = _box(score=0.9), _box(bbox=(5, 5, 0, 9), score=0.001)
    assert _detect(tmp_path, *found).scores.tolist() == [np.float32(0.9)]
    with pytest.raises(AnnotationError, match='detection 2: needs x1 < x2'):
        _detect(tmp_path, *found, score_threshold=0.0)


def test_ids_that_two_boxes_have_are_dropped(tmp_path):
    path = _index(
        tmp_path, _box(0, 7, id=4), _box(0, 9, id=5), _box(1, 8, id=4)
    )
    with pytest.warns(UserWarning, match='annotations: two have the id 4, '):
        boxes = list(_source(path).read(['b/cat', 'dog']))
    assert [one.ids for one in boxes] == [None, None]
    # One image alone has no id twice.
    (cat,) = _source(path).read(['b/cat'])
    assert cat.ids.tolist() == [4]


def test_a_class_list_of_other_names_shows_those_of_the_file(tmp_path):
    path = _index(tmp_path)
    with pytest.raises(AnnotationError, match=r'--classes.*: couch, dog, zeb'):
        list(_source(path, ['hund']).read(['dog']))
