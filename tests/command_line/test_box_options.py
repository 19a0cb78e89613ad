import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.boxes import (
    COCO_CLASSES,
    VOCXML,
    Detections,
    ReadingReport,
)
from box2seg_mmseg.command_line import (
    add_box_options,
    read_box_source,
    read_boxes,
    read_classes,
)
from box2seg_mmseg.errors import UsageError


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--boxes a.json', 'boxes is an option of --format coco or detectio'),
        ('--format coco --index a', 'index is an option of --format detectio'),
        ('--score-threshold 0', 'score-threshold is an option of --format d'),
        ('--format coco --nms-iou 0.5', 'nms-iou is an option of --format de'),
        ('--format coco --xml-dir a', 'xml-dir is an option of --format voc'),
    ],
)
def test_options_of_another_format_are_refused(tmp_path, words, message):
    parser = ArgumentParser()
    add_box_options(parser)
    args = [str(tmp_path), '--split', str(tmp_path / 'train.txt')]
    args = parser.parse_args([*args, *words.split()])
    with pytest.raises(UsageError, match=f'--{message}'):
        read_boxes(args, ReadingReport())


def test_more_classes_than_a_label_map_holds_are_refused(tmp_path):
    path = tmp_path / 'classes.txt'
    names = [f'class {i}' for i in range(1, 256)]
    path.write_text('\n'.join(names[:254]))
    assert len(read_classes(path)) == 254
    path.write_text('\n'.join(names))
    with pytest.raises(ValueError, match=r'txt: names 255 classes; .* 254'):
        read_classes(path)


def _source(root, words):
    parser = ArgumentParser()
    add_box_options(parser)
    split = str(root / 'train.txt')
    args = parser.parse_args([str(root), '--split', split, *words.split()])
    return read_box_source(args)


def test_options_reach_the_source(tmp_path):
    source = _source(
        tmp_path,
        '--format detections --boxes a.json --index b.json --nms-iou 0.5 '
        '--score-threshold 0 --image-dir photographs --classes coco',
    )
    assert isinstance(source, Detections)
    assert (source.box_file, source.index_file) == ('a.json', 'b.json')
    assert (source.nms_iou, source.score_threshold) == (0.5, 0)
    assert source.image_dir == tmp_path / 'photographs'
    assert source.classes == COCO_CLASSES
    source = _source(tmp_path, '--xml-dir boxes --image-suffix png')
    assert isinstance(source, VOCXML)
    assert source.xml_dir == tmp_path / 'boxes'
    assert source.image_suffix == '.png'
    assert source.image_dir == tmp_path / 'JPEGImages'


def test_values_out_of_range_are_wrong_use(tmp_path):
    for words in ('--score-threshold 2', '--nms-iou -1'):
        with pytest.raises(UsageError, match=r'must be in \[0, 1\]. Got'):
            _source(tmp_path, f'--format detections {words}')
    with pytest.raises(UsageError, match='--nms-iou must be of type float'):
        _source(tmp_path, '--format detections --nms-iou much')
    with pytest.raises(UsageError, match=r'data\.yaml: no such file'):
        _source(tmp_path, '--format yolo')
    with pytest.raises(UsageError, match='no such folder'):
        _source(tmp_path / 'absent', '')


@pytest.fixture
def generate(scenes, tmp_path):
    """Runs tools/generate_pseudo_labels.py in tmp_path, on four images."""
    tool = Path(__file__).parents[2] / 'tools/generate_pseudo_labels.py'

    def run(*options):
        command = [sys.executable, tool, scenes, '--out', 'labels']
        command += ['--split', scenes / 'ImageSets/Segmentation/val.txt']
        command += ['--method', 'box_fill', '--workers', '1', *options]
        return subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.slow
def test_a_format_of_user_code_works(user_format, generate, tmp_path):
    custom = ('--custom-import', 'my_boxes', '--format', 'whole')
    done = generate(*custom, '--border', 3)
    assert done.returncode == 0, done.stderr
    assert '4 annotations read: 4 used' in done.stdout
    label = np.zeros((64, 64), np.uint8)
    label[3:-3, 3:-3] = 2
    paths = sorted((tmp_path / 'labels').glob('*.png'))
    assert len(paths) == 4
    for path in paths:
        np.testing.assert_array_equal(np.array(Image.open(path)), label)
    # Its option is refused for another format, and it is unknown without.
    done = generate(*custom[:2], '--border', 3)
    assert done.returncode == 2
    assert '--border is an option of --format whole' in done.stderr
    done = generate('--format', 'whole')
    assert done.returncode == 2 and "invalid choice: 'whole'" in done.stderr


def test_modules_that_cannot_be_imported_are_wrong_use(generate, tmp_path):
    (tmp_path / 'broken.py').write_text('1 / 0')
    for module, message in (
        ('absent', "ModuleNotFoundError: No module named 'absent'"),
        ('broken', 'ZeroDivisionError: division by zero'),
    ):
        done = generate('--custom-import', module)
        assert done.returncode == 2
        last = done.stderr.strip().splitlines()[-1]
        assert last.endswith(f'{module}: cannot be imported: {message}')
    assert (
        'Traceback' in generate('--custom-import', 'broken', '--debug').stderr
    )


@pytest.mark.slow
def test_labels_without_any_box_are_refused(generate, tmp_path):
    """Never all-background labels with exit status 0."""
    classes = tmp_path / 'classes.txt'
    classes.write_text('unicorn\n')
    done = generate('--classes', classes)
    assert done.returncode == 1
    (line,) = [x for x in done.stderr.splitlines() if 'error:' in x]
    assert 'no image of the split has a box of the classes unicorn' in line
    assert 'other classes: ' in line and 'val_0000.xml)' in line
    assert not list(tmp_path.glob('labels/*.png'))


@pytest.mark.slow
def test_other_classes_are_counted_and_named(generate, tmp_path):
    classes = tmp_path / 'classes.txt'
    classes.write_text('star\nring\ndisk\n')
    done = generate('--classes', classes)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (others,) = [x for x in lines if x.startswith('other classes: ')]
    names = {part.split()[0] for part in others[15:].split('; ')}
    assert names <= {'lollipop', 'frame'} and names
    assert len(list(tmp_path.glob('labels/*.png'))) == 4
