from argparse import ArgumentParser

import pytest

from box2seg_mmseg.boxes import ReadingReport
from box2seg_mmseg.command_line import (
    add_box_options,
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
