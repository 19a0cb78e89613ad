import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from box2seg_mmseg.boxes import AnnotationError, ReadingReport, YOLOTxt
from box2seg_mmseg.errors import UsageError

NAMES = ['person', 'couch', 'zebra']
WIDTH, HEIGHT = 200, 100


def _image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (WIDTH, HEIGHT)).save(path)


def _yaml(root, **content):
    path = root / 'data.yaml'
    path.write_text(yaml.safe_dump(dict(dict(names=NAMES), **content)))


@pytest.fixture
def root(tmp_path):
    """Two images, a and b, in Ultralytics' layout."""
    for name in 'ab':
        _image(tmp_path / f'images/train/{name}.jpg')
    (tmp_path / 'labels/train').mkdir(parents=True)
    _yaml(tmp_path, path='.', train='images/train', val='images/val')
    return tmp_path


def _read(root, text, report=None, **kwargs):
    """The boxes of image a, whose text file is given; b has an empty one."""
    data = text if isinstance(text, bytes) else text.encode()
    (root / 'labels/train/a.txt').write_bytes(data)
    (root / 'labels/train/b.txt').write_text('')
    source = YOLOTxt(root, **kwargs)
    a, b = source.read(['train/a', 'train/b'], report)
    assert len(b.boxes) == 0
    return a


def test_centre_and_sides_become_corners(root):
    report = ReadingReport()
    a = _read(root, '0 0.5 0.5 0.2 0.4\n2 0.25 0.75 0.5 0.5\n', report)
    assert a.boxes.tolist() == [[80, 30, 120, 70], [0, 50, 100, 100]]
    assert a.labels.tolist() == [1, 3]
    assert (a.image_id, a.size) == ('train/a', (HEIGHT, WIDTH))
    assert a.image_path == str(root / 'images/train/a.jpg')
    assert (report.num_read, report.num_used) == (2, 2)


def test_a_polygon_becomes_its_extent(root):
    a = _read(root, '1 0.1 0.9 0.3 0.2 0.4 0.5 0.2 0.6')
    np.testing.assert_allclose(a.boxes, [[20, 20, 80, 90]], rtol=1e-6)
    assert a.labels.tolist() == [2]


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data):
    """Boxes and polygons written with six digits, as Ultralytics does."""
    root = tmp_path_factory.mktemp('yolo')
    _image(root / 'images/x.png')
    _yaml(root)
    (root / 'labels').mkdir()
    share = st.floats(0, 1)
    boxes, labels, lines = [], [], []
    for _ in range(data.draw(st.integers(0, 4))):
        xs = sorted((data.draw(share), data.draw(share)))
        ys = sorted((data.draw(share), data.draw(share)))
        if xs[1] - xs[0] < 1e-3 or ys[1] - ys[0] < 1e-3:
            continue
        boxes.append([xs[0], ys[0], xs[1], ys[1]])
        labels.append(data.draw(st.integers(0, 2)))
        values = [sum(xs) / 2, sum(ys) / 2, xs[1] - xs[0], ys[1] - ys[0]]
        if data.draw(st.booleans()):
            corners = [(x, y) for x in xs for y in ys]
            values = np.array(data.draw(st.permutations(corners))).ravel()
        numbers = ' '.join(f'{value:.6f}' for value in values)
        lines.append(f'{labels[-1]} {numbers}')
    (root / 'labels/x.txt').write_text('\n'.join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # rounding puts nothing outside
        (x,) = YOLOTxt(root).read(['x'])
    scale = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    want = np.array(boxes).reshape(-1, 4) * scale
    np.testing.assert_allclose(x.boxes, want, atol=1e-6 * WIDTH)
    assert x.labels.tolist() == [label + 1 for label in labels]


@pytest.mark.parametrize(
    'text',
    [
        '\ufeff0 0.5 0.5 0.2 0.4\n',
        '0 0.5 0.5 0.2 0.4\r\n\r\n',
        '\n  0\t0.5 0.5  0.2 0.4  \n',
        '0.0 0.5 0.5 0.2 0.4',
    ],
)
def test_other_editors_and_exporters(root, text):
    assert _read(root, text).boxes.tolist() == [[80, 30, 120, 70]]


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('0 0.5 0.5 0.2', r'needs a class and x, y.* Got: 0 0\.5 0\.5 0\.2$'),
        ('0 0.5 0.5 0.2 0.2 0.9', 'needs a class and x, y'),
        ('0 0.1 0.1 0.2 0.2 0.3 0.3 0.4', 'needs a class and x, y'),
        ('0', 'needs a class and x, y'),
        ('cat 0.5 0.5 0.2 0.2', 'must be numbers. Got: cat'),
        ('3 0.5 0.5 0.2 0.2', r'must be below 3, .*data\.yaml. Got: 3'),
        ('-1 0.5 0.5 0.2 0.2', 'whole number >= 0. Got: -1'),
        ('1.5 0.5 0.5 0.2 0.2', r'whole number >= 0. Got: 1\.5'),
        ('nan 0.5 0.5 0.2 0.2', 'whole number >= 0. Got: nan'),
        ('inf 0.5 0.5 0.2 0.2', 'whole number >= 0. Got: inf'),
        ('0 nan 0.5 0.2 0.2', r'in \[0, 1\]. Got: 0 nan'),
        ('0 100 50 40 40', r'in \[0, 1\]. Got: 0 100'),
        ('0 0.5 0.5 1.2 0.2', r'in \[0, 1\]. Got'),
        ('0 0.5 0.5 -0.2 0.2', r'in \[0, 1\]. Got'),
        ('0 0.5 0.5 0 0.2', 'x1 < x2 and y1 < y2. Got: 0 0.5'),
        ('0 0.1 0.2 0.1 0.3 0.1 0.9', 'x1 < x2 and y1 < y2'),
    ],
)
def test_bad_lines_stop_or_are_listed(root, line, message):
    text = f'0 0.5 0.5 0.2 0.4\n{line}\n1 0.5 0.5 0.2 0.4\n'
    with pytest.raises(AnnotationError, match=rf'a\.txt, line 2: .*{message}'):
        _read(root, text)
    report = ReadingReport(skip_bad=True)
    assert _read(root, text, report).labels.tolist() == [1, 2]
    assert (report.num_read, report.num_used) == (3, 2)
    assert len(report.skipped) == 1


def test_boxes_that_reach_outside_are_clipped_with_a_warning(root):
    with pytest.warns(UserWarning, match='1 boxes in 1 images'):
        a = _read(root, '0 0.05 0.5 0.2 0.4')
    np.testing.assert_allclose(a.boxes, [[0, 30, 30, 70]], rtol=1e-6)
    # Less than half a pixel is rounding.
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        a = _read(root, '0 0.1 0.5 0.2002 0.4')
    assert a.boxes[0, 0] == 0


def test_bytes_that_are_no_text_are_named(root):
    with pytest.raises(AnnotationError, match=r'a\.txt: not a text file'):
        _read(root, b'\xff\xfe0 1')


def test_an_image_without_a_text_file_has_no_box(root):
    (root / 'labels/train/a.txt').write_text('0 0.5 0.5 0.2 0.4')
    a, b = YOLOTxt(root).read(['train/a', 'train/b'])
    assert (len(a.boxes), len(b.boxes)) == (1, 0)
    # A split without any text file is a wrong layout.
    (root / 'labels/train/a.txt').unlink()
    with pytest.raises(AnnotationError, match=r'labels/train/a\.txt: no such'):
        list(YOLOTxt(root).read(['train/a', 'train/b']))


def test_missing_images_are_named(root):
    with pytest.raises(AnnotationError, match='train/c: no images have this'):
        list(YOLOTxt(root).read(['train/c']))
    with pytest.raises(AnnotationError, match='in the image folder'):
        list(YOLOTxt(root).read(['../c']))
    _image(root / 'images/train/a.png')
    with pytest.raises(AnnotationError, match='train/a: 2 images have this'):
        list(YOLOTxt(root).read(['train/a']))
    (root / 'labels/train/a.txt').write_text('0 0.5 0.5 0.2 0.4')
    for suffix in ('png', '.png'):
        (a,) = YOLOTxt(root, image_suffix=suffix).read(['train/a'])
        assert a.image_path.endswith('train/a.png')


def test_some_of_the_classes(root):
    text = '0 0.5 0.5 0.2 0.4\n2 0.5 0.5 0.2 0.4\n'
    report = ReadingReport()
    a = _read(root, text, report, classes=['zebra'])
    assert a.labels.tolist() == [1]
    assert report.num_other_classes == 1
    count, where = report.other_classes['person']
    assert count == 1 and where.endswith('a.txt, line 1')
    with pytest.raises(AnnotationError, match='no name is one of cat, dog'):
        YOLOTxt(root, classes=['cat', 'dog'])
    with pytest.warns(UserWarning, match='has no class named zbra'):
        YOLOTxt(root, classes=['zbra', 'person'])


def test_names_may_be_a_mapping_and_vocs(root):
    _yaml(root, names={0: 'couch ', 1: 'aeroplane'})
    assert YOLOTxt(root).classes == ('couch', 'aeroplane')
    from box2seg_mmseg.boxes import VOC_CLASSES

    a = _read(root, '0 0.5 0.5 0.2 0.4', classes=VOC_CLASSES)
    assert VOC_CLASSES[a.labels[0] - 1] == 'sofa'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('names: [a, b', 'not a readable YAML file'),
        ('- a', 'needs names and splits'),
        ('nc: 2', 'names must be a list or a mapping.* Got: NoneType'),
        ('names: []', 'names must be a list'),
        ('names: {1: a}', 'names must have the keys 0 to 0'),
        ('names: [yes, no]', 'put quotes around it. Got: True'),
        ('names: [[a]]', 'put quotes around it'),
        ('names: [a, a]', 'each once'),
        ('names: [a, " "]', 'class 2 has an empty name'),
        ('names: [background, a]', 'must not name the background'),
        ('names: !!python/object/apply:os.system [ls]', 'not a readable YAML'),
    ],
)
def test_bad_data_files_are_named(root, content, message):
    (root / 'data.yaml').write_text(content)
    with pytest.raises(ValueError, match=message):
        YOLOTxt(root)


def test_a_missing_data_file_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match=r'data\.yaml: no such file'):
        YOLOTxt(tmp_path)


def test_splits_by_name_and_by_file(root):
    source = YOLOTxt(root)
    assert source.image_ids('train') == ['train/a', 'train/b']
    # As a dataset asks, whose ann_file begins with data_root.
    assert source.image_ids(root / 'train') == ['train/a', 'train/b']
    (root / 'ids.txt').write_text('train/b\n')
    assert source.image_ids(root / 'ids.txt') == ['train/b']
    with pytest.raises(UsageError, match='val is images/val, and there is no'):
        source.image_ids('val')
    with pytest.raises(UsageError, match='no such file'):
        source.image_ids('test')
    (root / 'images/val').mkdir()
    with pytest.raises(ValueError, match='val has no image'):
        source.image_ids('val')


@pytest.mark.parametrize('path', ['', '.', 'absent', 'absolute'])
def test_paths_of_a_list_of_images(root, path):
    path = str(root) if path == 'absolute' else path
    _yaml(root, path=path, train=['train.txt', 'images/more'])
    (root / 'train.txt').write_text(
        f'./images/train/b.jpg\n{root}/images/train/a.jpg\n'
    )
    _image(root / 'images/more/deep/c.PNG')
    (root / 'images/more/notes.txt').write_text('no image')
    (root / 'images/more/._d.jpg').write_bytes(b'as macOS writes it')
    assert YOLOTxt(root).image_ids('train') == [
        'train/b',
        'train/a',
        'more/deep/c',
    ]
    _yaml(root, train=3)
    with pytest.raises(AnnotationError, match='train must be a folder'):
        YOLOTxt(root).image_ids('train')


def test_layout_of_roboflow(tmp_path):
    """Images and labels below the split, and '../' in data.yaml."""
    _image(tmp_path / 'train/images/a.jpg')
    (tmp_path / 'train/labels').mkdir()
    (tmp_path / 'train/labels/a.txt').write_text('0 0.5 0.5 0.2 0.4')
    _yaml(tmp_path, train='../train/images')
    with pytest.raises(UsageError, match='set --image-dir'):
        YOLOTxt(tmp_path).image_ids('train')
    source = YOLOTxt(tmp_path, image_dir='train/images')
    assert source.image_ids('train') == ['a']
    (a,) = source.read(['a'])
    assert a.boxes.tolist() == [[80, 30, 120, 70]]


def test_links_are_followed(tmp_path):
    """To a folder of images, to one below it, and to the whole data set."""
    root = tmp_path / 'set'
    for name in ('a', 'deep/b'):
        _image(tmp_path / f'photographs/{name}.jpg')
    _image(tmp_path / 'more/c.jpg')
    (root / 'images').mkdir(parents=True)
    (root / 'images/train').symlink_to(tmp_path / 'photographs')
    (tmp_path / 'photographs/linked').symlink_to(tmp_path / 'more')
    (root / 'labels/train/deep').mkdir(parents=True)
    (root / 'labels/train/deep/b.txt').write_text('0 0.5 0.5 0.2 0.4')
    (tmp_path / 'link').symlink_to(root)
    _yaml(root, path=str(root), train='images/train')
    for place in (root, tmp_path / 'link'):
        source = YOLOTxt(place)
        ids = source.image_ids('train')
        assert ids == ['train/a', 'train/deep/b', 'train/linked/c']
        counts = [len(item.boxes) for item in source.read(ids)]
        assert counts == [0, 1, 0]


def test_only_the_last_images_folder_becomes_labels(tmp_path):
    root = tmp_path / 'images/set'
    _image(root / 'images/images.jpg')
    (root / 'labels').mkdir()
    (root / 'labels/images.txt').write_text('0 0.5 0.5 0.2 0.4')
    _yaml(root)
    (found,) = YOLOTxt(root).read(['images'])
    assert len(found.boxes) == 1


def test_relative_paths(root, monkeypatch):
    monkeypatch.chdir(root)
    (root / 'labels/train/a.txt').write_text('0 0.5 0.5 0.2 0.4')
    source = YOLOTxt('.')
    assert source.image_ids('train') == ['train/a', 'train/b']
    a, _ = source.read(source.image_ids('train'))
    assert Path(a.image_path).is_file() and len(a.boxes) == 1


def test_keypoints_after_a_box_are_not_corners(root):
    _yaml(root, kpt_shape=[2, 3])
    a = _read(root, '0 0.5 0.5 0.2 0.4 0.1 0.2 1 0.9 0.8 2')
    assert a.boxes.tolist() == [[80, 30, 120, 70]]
    with pytest.raises(
        AnnotationError, match=r'needs .* and 6 numbers of key'
    ):
        _read(root, '0 0.5 0.5 0.2 0.4')
    for shape in (17, [17], [2, 'x'], [-1, 3]):
        _yaml(root, kpt_shape=shape)
        with pytest.raises(AnnotationError, match='kpt_shape must be two'):
            YOLOTxt(root)
