"""What the fuzzer found, and a short run of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from box2seg_mmseg.boxes import (
    AnnotationError,
    ReadingReport,
    build_box_source,
)
from box2seg_mmseg.errors import UsageError
from box2seg_mmseg.id_lists import read_lines

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from clean_data import CLASSES, SIZES, SOURCES, write_data  # noqa: E402

ALIASES = 'a: &a [x, x]\n' + ''.join(
    f'a{i}: &a{i} [{", ".join([f"*a{i - 1}" if i else "*a"] * 9)}]\n'
    for i in range(12)
)
BOX, IMAGE = '"bbox": [2, 3, 10, 10]', '"width": 64, "height": 32'
DAMAGE = [
    ('coco', 'boxes.json', BOX, f'{BOX}, "bbox": [1, 1, 2, 2]', 'key .* twic'),
    ('coco', 'boxes.json', '"images"', '"images": [], "images"', 'key .* twi'),
    ('coco', 'boxes.json', BOX, f'"bbox": [0, 0, 1{"0" * 400}, 9]', 'ation 1'),
    ('coco', 'boxes.json', BOX, f'"bbox": {"[" * 980 + "]" * 980}', 'readabl'),
    ('coco', 'boxes.json', BOX, f'"bbox": [{"1, " * 10**5} 1]', '4 numbers'),
    ('coco', 'boxes.json', IMAGE, '"width": 1e308, "height": 9', 'whole numb'),
    ('coco', 'boxes.json', IMAGE, f'"width": 1{"0" * 99}, "height": 9', 'who'),
    ('coco', 'boxes.json', IMAGE, '"width": 9.5, "height": 9', 'whole number'),
    ('coco', 'boxes.json', IMAGE, '"width": true, "height": 9', 'whole numbe'),
    ('coco', 'boxes.json', '"image_id": 1', '"image_id": true', "no 'image_i"),
    ('coco', 'boxes.json', '"iscrowd": 0', '"iscrowd": "a"', 'must be 0 or 1'),
    ('voc', 'Annotations/a.xml', '<size>', '<size><width>1</width>', 'once'),
    ('voc', 'Annotations/a.xml', '<xmin>', '<xmin>1</xmin><xmin>', 'once'),
    ('voc', 'Annotations/a.xml', '<name>', '<name>dog</name><name>', 'once'),
    ('voc', 'Annotations/a.xml', '64</width>', '64.5</width>', 'whole number'),
    ('voc', 'Annotations/a.xml', '64</width>', '1e308</width>', 'whole numbe'),
    ('voc', 'Annotations/a.xml', '<xmin>', f'<xmin>{"9" * 5000}', 'a number'),
    ('voc', 'Annotations/a.xml', '<name>cat', '<name>cat\nx', 'clas|catx'),
    ('openimages', 'my-annotations-bbox.csv', 'IsGroupOf', 'XMin', 'two col'),
    ('openimages', 'my-annotations-bbox.csv', ',XMin', ',' * 9**5, 'no colu'),
    ('openimages', 'class-descriptions.csv', '/m/dog,', '', 'a code and a n'),
    ('openimages', 'class-descriptions.csv', '/m/dog', '/m/cat', 'described'),
    ('yolo', 'data.yaml', 'path: .', 'names: [cat]', 'one key twice'),
    ('yolo', 'data.yaml', 'path: .', '<<: {a: 1}', 'merge key'),
    ('yolo', 'data.yaml', 'names:', f'{ALIASES}names: [*a11]\nb:', 'be text'),
    ('yolo', 'data.yaml', 'path: .', '[' * 3000, 'not a readable YAML'),
    ('yolo', 'data.yaml', 'path: .', 'path: 2001-99-99', 'not a readable YA'),
    ('yolo', 'data.yaml', 'path: .', f'path: {"9" * 5000}', 'not a readable'),
    ('yolo', 'data.yaml', 'zebra', 'background', 'must not name the backgr'),
    ('yolo', 'data.yaml', 'zebra', 'cat', 'names: must name classes, each on'),
    ('yolo', 'data.yaml', 'train: images', f'train: {"x" * 5000}', 'no such '),
    ('yolo', 'data.yaml', 'train:', 'val:', 'no split named train'),
]  # fmt: skip


@pytest.mark.parametrize(('kind', 'file', 'old', 'new', 'message'), DAMAGE)
def test_damage_ends_in_one_line(tmp_path, kind, file, old, new, message):
    write_data(tmp_path)
    path = tmp_path / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    def read(report):
        arguments = dict(data_root=tmp_path, image_dir='images')
        if kind != 'yolo':
            arguments['classes'] = CLASSES
            if new.endswith('\nx'):
                del arguments['classes']  # other classes are an error
        source = build_box_source(SOURCES[kind] | arguments)
        ids = source.image_ids('train') if kind == 'yolo' else list(SIZES)
        return list(source.read(ids, report))

    with pytest.raises((AnnotationError, UsageError), match=message) as error:
        read(ReadingReport())
    text = str(error.value)
    assert str(path) in text
    assert text.isprintable() and len(text) < 2000
    report = ReadingReport(skip_bad=True)
    try:
        items = read(report)
    except (AnnotationError, UsageError) as error:
        assert str(error) == text
    else:
        assert report.skipped[0] == text
        num_boxes = sum(len(item.labels) for item in items)
        assert report.num_used == num_boxes
        other = report.num_other_classes + report.num_other_images
        assert report.num_read == num_boxes + other + len(report.skipped)


def test_names_of_other_classes_can_be_printed(tmp_path):
    write_data(tmp_path)
    path = tmp_path / 'boxes.json'
    path.write_text(path.read_text().replace('zebra', r'z\ud800\n\u2028a'))
    report = ReadingReport()
    arguments = dict(data_root=tmp_path, classes=CLASSES)
    list(build_box_source(SOURCES['coco'] | arguments).read(['a'], report))
    line = report.summary()[1]
    assert line.startswith(r'other classes: z\ud800 a 1 (first')
    line.encode()


def test_a_link_to_a_folder_above_is_not_followed(tmp_path):
    write_data(tmp_path)
    (tmp_path / 'images/sub/up').symlink_to(tmp_path / 'images')
    (tmp_path / 'images/sub/also').symlink_to(tmp_path / 'images/sub')
    source = build_box_source(SOURCES['yolo'] | dict(data_root=tmp_path))
    assert sorted(source.image_ids('train')) == sorted(SIZES)


def test_a_list_with_a_zero_byte_is_no_text(tmp_path):
    path = tmp_path / 'ids.txt'
    path.write_bytes('a\nb\n'.encode('utf-16-le'))
    with pytest.raises(ValueError, match=r'ids\.txt: not a text file'):
        read_lines(path)


@pytest.mark.slow
def test_the_fuzzer_finds_nothing_and_repeats_its_cases():
    command = [sys.executable, HERE / 'fuzz_annotations.py', '--count', '60']
    first, second = (
        subprocess.run(command, capture_output=True, text=True)
        for _ in range(2)
    )
    assert first.returncode == 0, first.stdout + first.stderr
    assert '60 cases' in first.stdout
    assert first.stdout == second.stdout
