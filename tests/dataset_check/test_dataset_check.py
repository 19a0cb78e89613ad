"""tools/check_dataset.py on a few images in VOC's layout."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from box2seg_mmseg.boxes import (
    VOC_CLASSES,
    VOCXML,
    BoxAnnotations,
    write_voc_xml,
)
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

TOOL = Path(__file__).resolve().parents[2] / 'tools/check_dataset.py'


class _Folder:
    """Images of noise with a box each."""

    def __init__(self, root, monkeypatch, capsys):
        self.root, self._patch, self._capsys = root, monkeypatch, capsys

    def image(self, name, seed, folder='JPEGImages'):
        path = self.root / folder / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (20, 30, 3))
        Image.fromarray(noise.astype(np.uint8)).save(path)
        return path

    def add(self, name, seed, folder='JPEGImages', num_boxes=1):
        path = self.image(name, seed, folder)
        boxes = np.array([[2, 3, 12, 13]] * num_boxes, np.float32)
        labels = np.ones(num_boxes, np.int64)
        xml = self.root / f'Annotations/{name}.xml'
        xml.parent.mkdir(parents=True, exist_ok=True)
        item = BoxAnnotations(name, str(path), (20, 30), boxes, labels)
        write_voc_xml(xml, item)

    def rename_class(self, name, new):
        xml = self.root / f'Annotations/{name}.xml'
        xml.write_text(xml.read_text().replace('aeroplane', new))

    def split(self, name, *ids):
        path = self.root / f'{name}.txt'
        path.write_text('\n'.join(ids))
        return path

    def check(self, *options):
        """Exit status, problems as (kind, text), and all that is printed."""
        out = self.root / 'report.json'
        command = [TOOL, self.root, '--split', self.root / 'train.txt']
        command += ['--image-suffix', '.png', '--json', out, *options]
        self._patch.setattr(sys, 'argv', [str(part) for part in command])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        printed = self._capsys.readouterr()
        if exit_.value.code == 2:
            return 2, [], printed.err
        problems = json.loads(out.read_text())['problems']
        found = [(problem['kind'], problem['text']) for problem in problems]
        return exit_.value.code, found, printed.out


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    return _Folder(tmp_path, monkeypatch, capsys)


def test_a_split_whose_images_are_elsewhere_is_not_passed(folder):
    folder.add('000001', 1, 'train2017')
    folder.split('train', '000001')
    folder.image('000009', 1, 'val2017')
    folder.image('000010', 2, 'val2017')
    val = folder.split('val', '000009', '000010')
    options = '--image-dir', 'train2017', '--other-splits'
    status, [(kind, text)], _ = folder.check(*options, val)
    assert (status, kind) == (1, 'other split')
    assert f'2 of 2 images of {val} could not be read, such as ' in text
    assert 'train2017/000009.png; give its folder as FILE=DIR' in text
    status, [(kind, text)], _ = folder.check(*options, f'{val}=val2017')
    assert (status, kind) == (1, 'image in two splits')
    assert '000001.png: the same picture as' in text and str(val) in text
    folder.split('val', '000010')
    assert folder.check(*options, f'{val}=val2017')[:2] == (0, [])


def test_a_broken_image_of_another_split_is_told(folder):
    folder.add('a', 1)
    folder.split('train', 'a')
    path = folder.image('b', 2)
    path.write_bytes(path.read_bytes()[:500])
    folder.image('c', 3)
    val = folder.split('val', 'b', 'c')
    status, [(kind, text)], _ = folder.check('--other-splits', val)
    assert (status, kind) == (1, 'other split')
    assert text.startswith('1 of 2 images of') and str(path) in text


def test_other_files_beside_an_image_of_another_split_are_no_image(folder):
    folder.add('a', 1)
    folder.split('train', 'a')
    image = folder.image('b', 2).rename(folder.root / 'JPEGImages/b.png')
    image.with_suffix('.json').write_text('{}')  # such as LabelMe's
    val = folder.split('val', 'b')
    assert folder.check('--other-splits', val)[:2] == (0, [])


def test_a_split_without_a_name_compares_nothing(folder):
    folder.add('a', 1)
    folder.split('train', 'a')
    val = folder.split('val')
    status, _, printed = folder.check('--other-splits', val)
    assert status == 2 and f'{val}: names no image' in printed


def test_a_name_in_another_folder_is_another_image(folder):
    folder.add('1', 1, 'train')
    folder.split('train', '1')
    folder.image('1', 2, 'val')
    val = folder.split('val', '1')
    options = '--image-dir', 'train', '--other-splits', f'{val}=val'
    assert folder.check(*options)[:2] == (0, [])


def test_names_are_compared_where_an_annotation_is_bad(folder):
    folder.add('a', 1)
    folder.add('b', 2)
    (folder.root / 'Annotations/b.xml').write_text('<annotation>')
    folder.split('train', 'a', 'b')
    val = folder.split('val', 'b')
    _, found, _ = folder.check('--other-splits', val)
    assert [kind for kind, _ in found] == ['annotation', 'image in two splits']
    assert found[1][1] == f'b: is in {val} too; remove it from one'


def test_names_in_folders_are_compared_whole(folder):
    (folder.root / 'Annotations/x').mkdir(parents=True)
    folder.add('x/001', 1)
    folder.split('train', 'x/001')
    folder.image('y/001', 2)
    val = folder.split('val', 'y/001')
    assert folder.check('--other-splits', val)[:2] == (0, [])
    folder.split('val', 'y/001', 'x/001')
    status, [(kind, text)], _ = folder.check('--other-splits', val)
    assert (status, kind) == (1, 'image in two splits')
    assert text == f'x/001: is in {val} too; remove it from one'


def test_images_without_a_box_are_counted(folder):
    folder.add('a', 1)
    folder.add('b', 2, num_boxes=0)
    folder.add('c', 3, num_boxes=0)
    folder.split('train', 'a', 'b', 'c')
    status, problems, printed = folder.check()
    assert (status, problems) == (0, [])
    assert 'images without a box: 2\n' in printed
    content = json.loads((folder.root / 'report.json').read_text())
    assert (content['images'], content['images_without_box']) == (3, 2)


@pytest.fixture
def labels(folder):
    """Pseudo labels of a, b and c for the first VOC class; their folder."""
    for seed, name in enumerate('abc'):
        folder.add(name, seed)
    folder.split('train', 'a', 'b')
    out = folder.root / 'labels'
    ids = ['a', 'b', 'c']
    generate_pseudo_labels(
        VOCXML(folder.root, image_suffix='.png').read(ids),
        build_labeler(dict(type='BoxFill')),
        out,
        classes=VOC_CLASSES,
    )
    assert folder.check('--labels', out)[:2] == (0, [])
    return out


def test_pngs_that_are_not_as_written_are_found(folder, labels):
    (labels / 'a.png').unlink()
    for name in 'bc':  # of the split, and of none
        png = labels / f'{name}.png'
        png.write_bytes(png.read_bytes()[:-1])
    folder.image('mine', 9, 'labels')
    status, problems, _ = folder.check('--labels', labels)
    assert status == 1
    kinds = ['label', 'label', 'label folder', 'label folder']
    assert [kind for kind, _ in problems] == kinds
    for (_, text), message in zip(
        problems,
        (
            'a.png: missing; run generate_pseudo_labels again',
            'b.png: altered or truncated; run generate_pseudo_labels again',
            'c.png: altered or truncated; run generate_pseudo_labels again',
            'mine.png: has no record; an interrupted run may have left it: '
            'label its image again, or delete it',
        ),
        strict=True,
    ):
        assert text == f'{labels}/{message}'


def test_an_unfinished_labelling_is_found(folder, labels):
    (labels / 'records.jsonl').rename(labels / 'records.part.jsonl')
    status, [(kind, text)], _ = folder.check('--labels', labels)
    assert (status, kind) == (1, 'label folder')
    assert text == f'{labels}: the last run was not finished; run it again'


def test_labels_for_other_classes_are_found(folder, labels):
    classes = folder.split('classes', 'aeroplane', 'bike')
    options = '--classes', classes, '--labels', labels
    status, [(kind, text)], _ = folder.check(*options)
    assert (status, kind) == (1, 'label folder')
    assert "class 2 was 'bicycle' and is now 'bike'" in text


def test_a_label_that_could_not_be_made_is_found(folder, labels):
    (folder.root / 'JPEGImages/b.png').write_bytes(b'no image')
    summary = generate_pseudo_labels(
        VOCXML(folder.root, image_suffix='.png').read(['a', 'b', 'c']),
        build_labeler(dict(type='BoxFill')),
        labels,
        classes=VOC_CLASSES,
    )
    assert len(summary.errors) == 1
    _, problems, _ = folder.check('--labels', labels)
    assert [kind for kind, _ in problems] == ['label', 'image']
    assert 'b.png: the last run failed: ' in problems[0][1]


def test_an_unknown_class_is_a_problem_of_the_default_list_only(folder):
    folder.add('a', 1, num_boxes=2)
    folder.add('b', 2)
    folder.rename_class('a', 'unicorn')
    folder.split('train', 'a', 'b')
    status, problems, _ = folder.check()
    assert status == 1
    assert [kind for kind, _ in problems] == ['annotation'] * 2
    assert "object 1 (unicorn): unknown class 'unicorn'" in problems[0][1]
    classes = folder.split('classes', 'aeroplane')
    status, problems, printed = folder.check('--classes', classes)
    assert (status, problems) == (0, [])
    assert 'other classes: unicorn 2 (first: ' in printed
    content = json.loads((folder.root / 'report.json').read_text())
    assert content['other_classes'] == {'unicorn': 2}


def test_a_split_without_any_box_is_a_problem(folder):
    folder.add('a', 1)
    folder.rename_class('a', 'unicorn')
    folder.split('train', 'a')
    classes = folder.split('classes', 'cat', 'dog')
    status, [(kind, text)], _ = folder.check('--classes', classes)
    assert (status, kind) == (1, 'no box')
    assert 'none of 1 images has a box of the classes cat, dog' in text


def test_splits_of_yolo_by_name(folder):
    """Of a data set that says itself which classes and splits it has."""
    for name, seed in (('train/a', 1), ('train/b', 2), ('val/c', 2)):
        folder.image(name, seed, 'images')
        path = folder.root / f'labels/{name}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('1 0.5 0.5 0.4 0.4')
    (folder.root / 'data.yaml').write_text(
        'train: images/train\nval: images/val\nnames: [cat, dog]'
    )
    options = '--format', 'yolo', '--split', 'train', '--other-splits', 'val'
    status, [(kind, text)], printed = folder.check(*options)
    assert (status, kind) == (1, 'image in two splits')
    assert 'train/b.png: the same picture as val/c of val' in text
    assert 'classes without a box: cat' in printed
