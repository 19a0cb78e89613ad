import tracemalloc

import cv2
import pytest
from PIL import Image

from box2seg_mmseg.boxes import (
    OPEN_IMAGES_TO_VOC,
    VOC_CLASSES,
    AnnotationError,
    OpenImagesCSV,
    ReadingReport,
)

HEADER = (
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,'
    'IsTruncated,IsGroupOf,IsDepiction,IsInside'
)
NAMES = {'/m/cat': 'Cat', '/m/boy': 'Boy', '/m/tree': 'Tree'}


def _row(image, label, x1=0.1, x2=0.5, y1=0.2, y2=0.6, flags='0,0,0,0,0'):
    return f'{image},xclick,{label},1,{x1},{x2},{y1},{y2},{flags}'


def _source(root, suffix='jpg'):
    return OpenImagesCSV(
        root, image_dir='', box_file='boxes.csv', image_suffix=suffix
    )


@pytest.fixture
def read(tmp_path):
    for name in ('a', 'b', 'c'):
        Image.new('RGB', (200, 100)).save(tmp_path / f'{name}.jpg')
    names = tmp_path / 'class-descriptions.csv'
    names.write_text('\n'.join(f'{k},{v}' for k, v in NAMES.items()))

    def read(*rows, ids=('a', 'b'), header=HEADER, suffix='jpg', **kwargs):
        (tmp_path / 'boxes.csv').write_text('\n'.join([header, *rows]) + '\n')
        return list(_source(tmp_path, suffix).read(ids, **kwargs))

    return read


def test_rows_become_boxes_with_flags(read):
    report = ReadingReport()
    b, a = read(
        _row('b', '/m/boy', flags='1,0,1,0,-1'),
        _row('b', '/m/tree'),
        _row('b', '/m/cat', x2=1),
        _row('c', '/m/cat'),
        report=report,
    )
    assert b.boxes.tolist() == [[20, 20, 100, 60], [20, 20, 200, 60]]
    assert [VOC_CLASSES[i - 1] for i in b.labels] == ['person', 'cat']
    assert b.size == (100, 200) and b.image_path.endswith('b.jpg')
    flags = {name: values.tolist() for name, values in b.flags.items()}
    assert flags == dict(
        occluded=[True, False],
        truncated=[False, False],
        group_of=[True, False],
        depiction=[False, False],
        inside=[False, False],
    )
    assert a.image_id == 'a' and len(a.boxes) == 0
    assert (report.num_read, report.num_used) == (4, 2)
    assert (report.num_other_classes, report.num_other_images) == (1, 1)


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('b,/m/cat', 'needs 13 values'),
        (_row('b', '/m/cat', x1='left'), r'must be numbers.*left'),
        (_row('b', '/m/cat', x1='nan'), 'x1 < x2.*nan'),
        (_row('b', '/m/cat', x1=0.5), r'x1 < x2.*0\.5'),
        (_row('b', '/m/cat', x1=1.2, x2=1.4), 'entirely outside'),
    ],
)
def test_bad_rows_stop_or_are_listed(read, row, message):
    rows = _row('a', '/m/cat'), row, _row('b', '/m/boy')
    with pytest.raises(AnnotationError, match=rf'csv, line 3: .*{message}'):
        read(*rows)
    report = ReadingReport(skip_bad=True)
    got = read(*rows, report=report)
    assert [len(item.boxes) for item in got] == [1, 1]
    assert (report.num_read, report.num_used) == (3, 2)
    assert len(report.skipped) == 1
    report = ReadingReport(skip_bad=True)
    got = read(*rows, report=report, whole_only=True)
    assert [item.image_id for item in got] == ['a']


def test_a_missing_image_is_named_with_its_rows(read):
    rows = _row('z', '/m/cat'), _row('z', '/m/cat'), _row('a', '/m/cat')
    with pytest.raises(AnnotationError, match=r'line 2: .*z\.jpg: missing'):
        read(*rows, ids=['z', 'a'])
    report = ReadingReport(skip_bad=True)
    (got,) = read(*rows, ids=['z', 'a'], report=report)
    assert got.image_id == 'a'
    assert report.num_read == report.num_used + len(report.skipped) == 3


def test_bad_files_are_named(read, tmp_path):
    with pytest.raises(AnnotationError, match='no column XMin'):
        read(header='ImageID,LabelName')
    rows = _row('a', '/m/cat'), _row('b', '/m/cat'), _row('a', '/m/cat')
    with pytest.raises(AnnotationError, match=r'line 4: .*stand together'):
        read(*rows)
    with pytest.raises(AnnotationError, match='in the image folder'):
        read(ids=['../a'])
    (tmp_path / 'class-descriptions.csv').write_text('/m/x,Unicorn\n')
    with pytest.raises(AnnotationError, match='describes none of'):
        read()


def test_a_byte_order_mark_is_read_over(read, tmp_path):
    names = tmp_path / 'class-descriptions.csv'
    names.write_text(names.read_text(), encoding='utf-8-sig')
    (a,) = read(_row('a', '/m/cat'), ids=['a'], header='\ufeff' + HEADER)
    assert [VOC_CLASSES[i - 1] for i in a.labels] == ['cat']


def test_sizes_are_those_that_opencv_loads(read, tmp_path):
    picture = Image.new('RGB', (200, 100))
    for orientation in range(10):
        exif = picture.getexif()
        exif[0x0112] = orientation
        for suffix in ('.jpg', '.png'):
            path = tmp_path / f'a{suffix}'
            picture.save(path, exif=exif)
            (a,) = read(_row('a', '/m/cat'), ids=['a'], suffix=suffix)
            assert a.size == cv2.imread(str(path)).shape[:2], path


def test_an_image_of_too_many_pixels_is_named(read, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 5000)
    with pytest.raises(AnnotationError, match=r'a\.jpg: missing or not an'):
        read(_row('a', '/m/cat'), ids=['a'])


def test_memory_does_not_grow_with_the_file(read, tmp_path):
    peaks = []
    for count in (2_000, 20_000):
        rows = [_row(f'other{i}', '/m/cat') for i in range(count)]
        path = tmp_path / 'boxes.csv'
        path.write_text('\n'.join([HEADER, *rows, _row('a', '/m/cat')]))
        tracemalloc.start()
        (got,) = _source(tmp_path).read(['a'])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(got.boxes) == 1
    assert peaks[1] < 1.2 * peaks[0]


def test_each_voc_class_has_a_name_in_open_images():
    assert set(OPEN_IMAGES_TO_VOC.values()) == set(VOC_CLASSES)
