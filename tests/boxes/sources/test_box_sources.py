"""What all annotation formats have in common."""

import json
from inspect import signature

import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.boxes import (
    BOX_SOURCES,
    VOCXML,
    AnnotationError,
    BoxAnnotations,
    ReadingReport,
    build_box_source,
    require_boxes,
    write_voc_xml,
)
from box2seg_mmseg.errors import UsageError

CLASSES = ('cat', 'dog')
BOXES = {'a': [('cat', 2, 3, 12, 13), ('zebra', 1, 1, 9, 9)], 'b': []}
WIDTH, HEIGHT = 40, 20


@pytest.fixture
def root(tmp_path):
    """The same boxes in every format: a cat and a zebra in a, none in b."""
    for folder in ('JPEGImages', 'images', 'Annotations', 'labels'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'detections').mkdir()
    names = (*CLASSES, 'zebra')
    images, found, rows = [], [], []
    for number, (image_id, boxes) in enumerate(BOXES.items()):
        for folder in ('JPEGImages', 'images'):
            Image.new('RGB', (WIDTH, HEIGHT)).save(
                tmp_path / folder / f'{image_id}.jpg'
            )
        corners = np.array([box[1:] for box in boxes], np.float32)
        labels = [names.index(box[0]) + 1 for box in boxes]
        write_voc_xml(
            tmp_path / f'Annotations/{image_id}.xml',
            BoxAnnotations(
                image_id, 'x.jpg', (HEIGHT, WIDTH), corners, labels
            ),
            names,
        )
        images.append(
            dict(
                id=number,
                file_name=f'{image_id}.jpg',
                width=WIDTH,
                height=HEIGHT,
            )
        )
        lines = []
        for name, x1, y1, x2, y2 in boxes:
            index = names.index(name)
            found.append(
                dict(
                    image_id=number,
                    category_id=index,
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    score=0.9,
                )
            )
            shares = x1 / WIDTH, x2 / WIDTH, y1 / HEIGHT, y2 / HEIGHT
            rows.append(','.join(map(str, (image_id, f'/m/{name}', *shares))))
            lines.append(
                f'{index} {(x1 + x2) / 2 / WIDTH} {(y1 + y2) / 2 / HEIGHT} '
                f'{(x2 - x1) / WIDTH} {(y2 - y1) / HEIGHT}'
            )
        (tmp_path / f'labels/{image_id}.txt').write_text('\n'.join(lines))
    index = dict(
        images=images,
        categories=[dict(id=i, name=name) for i, name in enumerate(names)],
        annotations=found,
    )
    (tmp_path / 'boxes.json').write_text(json.dumps(index))
    (tmp_path / 'detections/images.json').write_text(json.dumps(index))
    (tmp_path / 'detections/found.json').write_text(json.dumps(found))
    (tmp_path / 'my-annotations-bbox.csv').write_text(
        '\n'.join(['ImageID,LabelName,XMin,XMax,YMin,YMax', *rows])
    )
    (tmp_path / 'class-descriptions.csv').write_text(
        ''.join(f'/m/{name},{name}\n' for name in names)
    )
    (tmp_path / 'data.yaml').write_text(f'names: {list(names)}\n')
    (tmp_path / 'ids.txt').write_text('a\nb\n')
    return tmp_path


@pytest.mark.parametrize('source', list(BOX_SOURCES), ids=lambda s: s.__name__)
def test_all_formats_give_the_same_boxes(root, source):
    """With default files, other classes counted, images without boxes."""
    built = build_box_source(
        dict(type=source.__name__, data_root=root, classes=CLASSES)
    )
    assert built.image_ids(root / 'ids.txt') == ['a', 'b']
    report = ReadingReport()
    items = {item.image_id: item for item in built.read(['a', 'b'], report)}
    assert set(items) == {'a', 'b'}
    np.testing.assert_allclose(items['a'].boxes, [[2, 3, 12, 13]], rtol=1e-6)
    assert items['a'].labels.tolist() == [1] and not len(items['b'].labels)
    assert items['a'].size == (HEIGHT, WIDTH)
    assert items['a'].image_path == str(built.image_dir / 'a.jpg')
    assert (report.num_read, report.num_used) == (2, 1)
    ((name, (count, _)),) = report.other_classes.items()
    assert (name, count, report.num_other_classes) == ('zebra', 1, 1)
    counts, others = report.summary()
    assert counts.startswith('2 annotations read: 1 used, 1 of other classes')
    assert others.startswith('other classes: zebra 1 (first: ')


@pytest.mark.parametrize('source', list(BOX_SOURCES), ids=lambda s: s.__name__)
def test_options_are_arguments_of_the_constructor(source):
    """So that the command line can do what a config can."""
    arguments = set(signature(source).parameters)
    common = {'data_root', 'classes', 'image_dir'}
    options = {option.name for option in source.options}
    assert options | common == arguments


@pytest.mark.parametrize('source', list(BOX_SOURCES), ids=lambda s: s.__name__)
def test_the_root_may_be_relative(root, source, monkeypatch):
    monkeypatch.chdir(root.parent)
    built = source(root.name, CLASSES)
    (a,) = built.read(['a'])
    assert a.image_path == f'{root.name}/{built.default_image_dir}/a.jpg'
    assert len(a.labels) == 1


@pytest.mark.parametrize('suffix', ['.jpg', 'jpg', None])
@pytest.mark.parametrize('name', ['VOCXML', 'OpenImagesCSV', 'YOLOTxt'])
def test_a_suffix_needs_no_dot(root, name, suffix):
    more = {} if suffix is None else dict(image_suffix=suffix)
    source = build_box_source(
        dict(type=name, data_root=root, classes=CLASSES, **more)
    )
    (a,) = source.read(['a'])
    assert a.image_path == str(source.image_dir / 'a.jpg')


def test_a_suffix_may_be_more_than_an_extension(tmp_path):
    source = VOCXML(tmp_path, image_suffix='_leftImg8bit.png')
    assert source.image_suffix == '_leftImg8bit.png'


def test_files_are_found_below_the_root_or_from_here(root, monkeypatch):
    here = root / 'elsewhere'
    here.mkdir()
    monkeypatch.chdir(here)
    common = dict(type='COCOJSON', data_root=root, classes=CLASSES)
    (root / 'boxes.json').rename(here / 'mine.json')
    with pytest.raises(
        UsageError, match=r'boxes\.json: no such file; correct --boxes'
    ):
        build_box_source(common).read(['a'])
    for name in ('mine.json', 'elsewhere/mine.json', str(here / 'mine.json')):
        source = build_box_source(dict(common, box_file=name))
        assert len(next(source.read(['a'])).labels) == 1
    (root / 'other-annotations-bbox.csv').write_text('')
    source = build_box_source(dict(common, type='OpenImagesCSV'))
    with pytest.raises(UsageError, match='2 such files; name one with --box'):
        source.read(['a'])


def test_bad_configs_are_explained(root):
    with pytest.raises(ValueError, match='VOCXML, YOLOTxt'):
        build_box_source(dict(data_root=root))
    with pytest.raises(ValueError, match=r"Got: 'KITTI'"):
        build_box_source(dict(type='KITTI', data_root=root))
    for threshold in (-0.1, 2, float('nan')):
        with pytest.raises(ValueError, match=r'nms_iou must be in \[0, 1\]'):
            build_box_source(
                dict(type='Detections', data_root=root, nms_iou=threshold)
            )
    for classes, message in (
        ([], 'must name classes'),
        (['a', 'a'], 'each once'),
        (['background'], 'must not name the background'),
        ([str(i) for i in range(255)], 'names 255 classes; .* at most 254'),
    ):
        with pytest.raises(ValueError, match=message):
            VOCXML(root, classes)
    assert len(VOCXML(root, [str(i) for i in range(254)]).classes) == 254


def _item(name, count):
    boxes = [[0, 0, 5, 5]] * count
    return BoxAnnotations(name, name, (9, 9), boxes, [1] * count)


def test_images_before_the_first_box_are_not_lost():
    items = [_item(str(i), count) for i, count in enumerate((0, 0, 2, 0, 1))]
    got = list(require_boxes(iter(items), ReadingReport(), CLASSES))
    assert got == items


def test_a_split_without_a_box_is_refused():
    report = ReadingReport(skip_bad=True, num_read=3)
    for name in ('zebra', 'cow', 'zebra'):
        report.other_class(name, 'x.csv, line 2')
    images = require_boxes(iter([_item('a', 0)]), report, CLASSES)
    message = (
        r'no image of the split has a box of the classes cat, dog \(3 annot'
        r'ations read: 0 used, 3 of other classes, .*zebra 2 \(first: x\.csv, '
        r'line 2\); cow 1'
    )
    with pytest.raises(AnnotationError, match=message):
        next(images)
    report = ReadingReport(skip_bad=True, skipped=['a.xml: broken'])
    with pytest.raises(AnnotationError, match=r'first bad .* a\.xml: broken'):
        list(require_boxes(iter([]), report, CLASSES))
    report = ReadingReport(num_read=1, num_used=1)
    with pytest.raises(AnnotationError, match='score threshold leaves none'):
        list(require_boxes(iter([_item('a', 0)]), report, CLASSES))


def test_the_summary_names_the_most_frequent_of_many_classes():
    report = ReadingReport()
    for i in range(14):
        for _ in range(i + 1):
            report.other_class(f'class {i}', 'somewhere')
    _, line = report.summary()
    assert line.startswith('other classes: class 13 14 (first')
    assert line.endswith('class 4 5 (first: somewhere); 4 more')
