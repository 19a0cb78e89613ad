import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from box2seg_mmseg.boxes import (
    VOC_CLASSES,
    VOCXML,
    AnnotationError,
    BoxAnnotations,
    ReadingReport,
    pixel_boxes,
    write_voc_xml,
)


def _write(path, *objects, size=(30, 20), head=''):
    """Objects are (name, xmin, ymin, xmax, ymax[, further XML])."""
    xml = head + '<annotation><size><width>{}</width><height>{}'.format(*size)
    xml += '</height></size>'
    for name, x1, y1, x2, y2, *more in objects:
        xml += f'<object><name>{name}</name>{"".join(more)}<bndbox>'
        xml += f'<xmin>{x1}</xmin><ymin>{y1}</ymin>'
        xml += f'<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
    path.write_text(xml + '</annotation>')
    return path


def _read(path, classes=None):
    (found,) = VOCXML(path.parent, classes, xml_dir='').read([path.stem])
    return found


def test_corners_become_half_open_from_zero(tmp_path):
    path = _write(
        tmp_path / 'x.xml',
        ('cat', 1, 2, 30, 20),
        ('person', 4, 5.5, 6, 7, '<difficult>1</difficult>'),
    )
    got = _read(path)
    assert got.boxes.tolist() == [[0, 1, 30, 20], [3, 4.5, 6, 7]]
    assert got.labels.tolist() == [8, 15]
    assert got.flags['difficult'].tolist() == [False, True]
    assert got.size == (20, 30)
    assert got.image_id == 'x' and got.image_path.endswith('JPEGImages/x.jpg')


def test_boxes_of_parts_are_not_objects(tmp_path):
    part = '<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>'
    path = _write(tmp_path / 'x.xml', ('person', 2, 2, 9, 9, part))
    assert _read(path).boxes.tolist() == [[1, 1, 9, 9]]


def test_an_image_without_objects(tmp_path):
    assert len(_read(_write(tmp_path / 'x.xml')).boxes) == 0


@pytest.mark.parametrize(
    ('found', 'message'),
    [
        (('unicorn', 1, 1, 5, 5), r'object 1 \(unicorn\): unknown class'),
        (('cat', 5, 1, 5, 9), r'object 1 \(cat\): needs xmin < xmax.*5\.0'),
        (('cat', 9, 1, 5, 9), r'object 1 \(cat\): needs xmin < xmax'),
        (('cat', 'nan', 1, 5, 9), r'object 1 \(cat\): bndbox/xmin .*nan'),
        (('cat', 'inf', 1, 5, 9), r'object 1 \(cat\): bndbox/xmin .*inf'),
        (('cat', 'five', 1, 5, 9), r'bndbox/xmin must be a number.*five'),
        (
            ('cat', 31, 1, 40, 9),
            r'object 1 \(cat\): lies entirely outside.*31',
        ),
        (('cat', -9, 1, 0, 9), r'object 1 \(cat\): lies entirely outside'),
        # Less than a float32 inside.
        (
            ('cat', 30.99999999, 1, 40, 9),
            r'object 1 \(cat\): lies entirely out',
        ),
    ],
)
def test_bad_objects_are_named(tmp_path, found, message):
    path = _write(tmp_path / 'bad.xml', found)
    with pytest.raises(AnnotationError, match=rf'bad\.xml: .*{message}'):
        _read(path)


def test_bad_files_are_named(tmp_path):
    with pytest.raises(AnnotationError, match=r'none\.xml: no such'):
        _read(tmp_path / 'none.xml')
    broken = tmp_path / 'broken.xml'
    broken.write_text('<annotation><object>')
    with pytest.raises(AnnotationError, match=r'broken\.xml: not a readable'):
        _read(broken)
    sizeless = tmp_path / 'sizeless.xml'
    sizeless.write_text('<annotation/>')
    with pytest.raises(AnnotationError, match=r'sizeless\.xml: size/width'):
        _read(sizeless)
    flat = tmp_path / 'flat.xml'
    flat.write_text(
        '<annotation><size><width>9</width><height>0</height></size>'
        '</annotation>'
    )
    with pytest.raises(
        AnnotationError,
        match=r'flat\.xml: size: height must be a whole number .*Got: 0',
    ):
        _read(flat)
    for encoding in ('gb2312', 'no-such'):
        strange = tmp_path / 'strange.xml'
        strange.write_text(f'<?xml version="1.0" encoding="{encoding}"?><a/>')
        with pytest.raises(AnnotationError, match=r'strange\.xml: not a read'):
            _read(strange)
    with pytest.raises(AnnotationError, match='not a readable'):
        (tmp_path / 'folder.xml').mkdir()
        _read(tmp_path / 'folder.xml')


def test_other_classes_are_errors_only_of_the_default_list(tmp_path):
    path = _write(
        tmp_path / 'x.xml',
        ('unicorn', 1, 1, 5, 5),
        ('cat', 2, 2, 9, 9),
        ('unicorn', 9, 1, 5, 9),  # not checked any further
    )
    got = _read(path, classes=['dog', 'cat'])
    assert got.labels.tolist() == [2]
    assert got.boxes.tolist() == [[1, 1, 9, 9]]
    # The same list, but given: other names are meant to be left out.
    assert _read(path, classes=VOC_CLASSES).labels.tolist() == [8]
    with pytest.raises(AnnotationError, match="unknown class 'unicorn'"):
        _read(path)
    _write(path, ('', 1, 1, 5, 5))
    with pytest.raises(AnnotationError, match=r'1 .without a name.: unk'):
        _read(path, classes=['dog', 'cat'])


def test_entries_are_boxes_and_unreadable_files(tmp_path):
    (tmp_path / 'Annotations').mkdir()
    for name, objects in dict(
        a=[('cat', 1, 1, 5, 5), ('cat', 5, 1, 1, 9), ('unicorn', 1, 1, 5, 5)],
        b=[('unicorn', 1, 1, 5, 5)],
    ).items():
        _write(tmp_path / f'Annotations/{name}.xml', *objects)
    report = ReadingReport(skip_bad=True)
    a, b = VOCXML(tmp_path, ['cat']).read(['a', 'b', 'c'], report)
    assert a.boxes.tolist() == [[0, 0, 5, 5]] and len(b.boxes) == 0
    assert (report.num_read, report.num_used) == (5, 1)
    assert report.other_classes == {
        'unicorn': (2, str(tmp_path / 'Annotations/a.xml'))
    }
    assert len(report.skipped) == 2
    assert 'object 2 (cat): needs xmin < xmax' in report.skipped[0]
    assert 'c.xml: no such annotation file' in report.skipped[1]


def test_entities_are_not_expanded(tmp_path):
    path = _write(
        tmp_path / 'bomb.xml',
        ('&a;', 1, 1, 5, 5),
        head='<!DOCTYPE x [<!ENTITY a "cat">]>',
    )
    with pytest.raises(AnnotationError, match=r'bomb\.xml: not a readable'):
        _read(path)


def test_a_box_partly_outside_is_clipped_and_counted_once(tmp_path):
    (tmp_path / 'Annotations').mkdir()
    outside = ('cat', -3, 1, 5, 99)
    for name, boxes in dict(
        a=[outside, outside], b=[('cat', 1, 1, 5, 5)], c=[outside]
    ).items():
        _write(tmp_path / 'Annotations' / f'{name}.xml', *boxes)
    with pytest.warns(UserWarning, match='3 boxes in 2 images') as caught:
        found = list(VOCXML(tmp_path).read(['a', 'b', 'c']))
    assert len(caught) == 1
    assert found[0].boxes.tolist() == [[0, 0, 5, 20]] * 2
    with pytest.warns(UserWarning, match='1 boxes in 1 images'):
        _read(tmp_path / 'Annotations' / 'c.xml')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        _read(tmp_path / 'Annotations' / 'b.xml')


@given(st.data())
def test_thin_boxes_are_read_as_the_pixels_they_cover(tmp_path_factory, data):
    side = st.floats(0.0625, 2.5, width=32)
    boxes = []
    for _ in range(data.draw(st.integers(1, 4))):
        x1 = data.draw(st.integers(0, 29 * 8)) / 8
        y1 = data.draw(st.integers(0, 19 * 8)) / 8
        x2, y2 = x1 + data.draw(side), y1 + data.draw(side)
        boxes.append([x1, y1, min(x2, 30), min(y2, 20)])
    written = BoxAnnotations('x', 'x.jpg', (20, 30), boxes, [1] * len(boxes))
    path = tmp_path_factory.mktemp('xml') / 'x.xml'
    write_voc_xml(path, written)
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # nothing reaches outside
        read = _read(path)
    np.testing.assert_array_equal(
        *(pixel_boxes(b.boxes, b.size) for b in (read, written))
    )


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data):
    boxes, labels, difficult = [], [], []
    for _ in range(data.draw(st.integers(0, 4))):
        x1, y1 = data.draw(st.integers(0, 28)), data.draw(st.integers(0, 18))
        # Thinner ones are not read to the last digit.
        boxes.append(
            [
                x1,
                y1,
                data.draw(st.integers(x1 + 2, 30)),
                data.draw(st.integers(y1 + 2, 20)),
            ]
        )
        labels.append(data.draw(st.integers(1, 20)))
        difficult.append(data.draw(st.booleans()))
    flags = dict(difficult=np.array(difficult, bool))
    written = BoxAnnotations(
        'x', 'x.jpg', (20, 30), np.array(boxes), labels, flags=flags
    )
    path = tmp_path_factory.mktemp('xml') / 'x.xml'
    write_voc_xml(path, written)
    read = _read(path)
    assert read.boxes.tolist() == written.boxes.tolist()
    assert read.labels.tolist() == labels and read.size == (20, 30)
    assert read.flags['difficult'].tolist() == difficult
