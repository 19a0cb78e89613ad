import errno
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.datasets import PascalVOCDataset
from numba import njit
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOC_CLASSES, VOCXML, BoxAnnotations
from box2seg_mmseg.files import FolderError
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import (
    PseudoLabeler,
    Segment,
    StoreError,
    build_labeler,
    generate_pseudo_labels,
    generation,
    verify_pseudo_labels,
)

BOX_FILL = dict(type='BoxFill')
GRABCUT = dict(type='GrabCut')
IDS = [f'train_{i:04d}' for i in range(6)]


def test_classes_and_palette_are_mmsegs(tmp_path):
    assert PascalVOCDataset.METAINFO['classes'][1:] == VOC_CLASSES
    write_label_png(tmp_path / 'a.png', np.zeros((2, 2), np.uint8))
    palette = Image.open(tmp_path / 'a.png').getpalette()
    assert (
        np.reshape(palette, (-1, 3))[:21].tolist()
        == PascalVOCDataset.METAINFO['palette']
    )


def test_a_png_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / 'a.png'
    write_label_png(path, np.full((3, 4), 7, np.uint8))

    def fail(*_, **__):
        raise OSError('disk full')

    monkeypatch.setattr(Image.Image, 'save', fail)
    with pytest.raises(OSError, match='disk full'):
        write_label_png(path, np.zeros((3, 4), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ['a.png']
    assert (np.array(Image.open(path)) == 7).all()
    with pytest.raises(ValueError, match='label_map must be uint8'):
        write_label_png(path, np.zeros((3, 4)))


@pytest.mark.parametrize('workers', [1, 2])
def test_a_split_gives_what_the_labeler_gives(scenes, tmp_path, workers):
    labeler = build_labeler(dict(type='GrabCut'))
    annotations = list(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    summary = generate_pseudo_labels(annotations, labeler, tmp_path, workers)
    assert summary.num_images == 6 and not summary.errors
    assert summary.num_boxes == sum(len(a.boxes) for a in annotations)
    assert sorted(p.stem for p in tmp_path.glob('*.png')) == IDS
    for item in annotations:
        image = cv2.imread(item.image_path)
        stored = np.array(Image.open(tmp_path / f'{item.image_id}.png'))
        assert np.array_equal(stored, labeler(image, item.boxes, item.labels))


def test_what_fails_is_told_and_the_rest_goes_on(scenes, tmp_path):
    good = next(VOCXML(scenes, SCENE_CLASSES).read(['train_0000']))
    cut = tmp_path / 'cut.jpg'
    cut.write_bytes(Path(good.image_path).read_bytes()[:-400])
    text = tmp_path / 'text.jpg'
    text.write_text('no image')
    png = tmp_path / 'header.png'
    write_label_png(png, np.zeros((64, 64), np.uint8))
    data = bytearray(png.read_bytes())
    data[11] = 5  # Pillow raises ValueError here
    png.write_bytes(data)
    bad = {
        'gone': (tmp_path / 'gone.jpg', (9, 9), 'gone.jpg: missing'),
        'cut': (cut, (64, 64), 'cut.jpg: truncated or corrupt image'),
        'text': (text, (64, 64), 'text.jpg: not an image file; replace it$'),
        'header': (png, (64, 64), 'header.png: truncated or corrupt image'),
        'larger': (good.image_path, (99, 64), '64 x 64 px, its .* 64 x 99'),
    }
    whole = BoxAnnotations(
        'whole', good.image_path, (64, 64), [[0, 0, 64, 64]], [1]
    )
    summary = generate_pseudo_labels(
        [
            *(
                BoxAnnotations(name, str(path), size, [], [])
                for name, (path, size, _) in bad.items()
            ),
            whole,
            good,
        ],
        build_labeler(dict(type='GrabCut')),
        tmp_path / 'out',
    )
    assert summary.num_images == 2
    assert summary.fallbacks == {'covers the whole image': 1}
    assert len(summary.errors) == len(bad)
    for error, (_, _, message) in zip(
        summary.errors, bad.values(), strict=True
    ):
        assert re.search(message, error)
    names = sorted(p.name for p in (tmp_path / 'out').glob('*.png'))
    assert names == ['train_0000.png', 'whole.png']


@pytest.fixture
def run(scenes, tmp_path):
    """Labels six scenes; says which PNGs were written."""

    def run(cfg=BOX_FILL, shift=0, **options):
        annotations = [
            replace(item, boxes=item.boxes - np.float32(shift * (i == 2)))
            for i, item in enumerate(VOCXML(scenes, SCENE_CLASSES).read(IDS))
        ]
        before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob('*.png')}
        summary = generate_pseudo_labels(
            annotations, build_labeler(cfg), tmp_path, **options
        )
        after = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob('*.png')}
        written = [k for k, v in after.items() if before.get(k) != v]
        assert summary.num_kept == summary.num_images - len(written)
        return sorted(written)

    return run


def _contents(folder):
    files = (p for p in folder.rglob('*') if p.is_file())
    return {p.relative_to(folder): p.read_bytes() for p in files}


def test_a_rerun_does_what_is_missing_or_stale(run, tmp_path):
    assert len(run()) == 6
    first = _contents(tmp_path)
    assert run() == []
    (tmp_path / 'train_0004.png').unlink()
    assert run() == ['train_0004.png']
    cut = tmp_path / 'train_0003.png'
    cut.write_bytes(cut.read_bytes()[:-1])
    assert run() == ['train_0003.png']
    assert _contents(tmp_path) == first
    assert run(shift=-0.6) == ['train_0002.png']
    assert run() == ['train_0002.png']
    assert _contents(tmp_path) == first


def test_another_parameter_is_refused_unless_told(run, tmp_path):
    run(GRABCUT)
    message = r'manifest\.json: .* iterations 5 -> 1; choose another'
    with pytest.raises(StoreError, match=message):
        run(dict(GRABCUT, iterations=1))
    assert run(GRABCUT) == []
    assert len(run(dict(GRABCUT, iterations=1), overwrite=True)) == 6


def test_a_folder_without_a_label_is_taken_over(run, tmp_path):
    def fail():
        raise ValueError('bad box')
        yield

    with pytest.raises(ValueError, match='bad box'):
        generate_pseudo_labels(fail(), build_labeler(GRABCUT), tmp_path)
    assert (tmp_path / 'manifest.json').exists()
    assert len(run(BOX_FILL)) == 6


def test_what_differs_is_said_in_words(run, tmp_path, monkeypatch):
    run(dict(GRABCUT, iterations=5, perturbations=2))
    for cfg, difference in (
        (dict(BOX_FILL), 'made with --method grabcut, this run uses box_fill'),
        (
            dict(GRABCUT, iterations=3),
            'this run differs from the earlier one: iterations 5 -> 3, '
            'perturbations 2 -> 0',
        ),
    ):
        with pytest.raises(StoreError) as error:
            run(cfg)
        assert str(error.value) == (
            f'{tmp_path}/manifest.json: {difference}; choose another folder '
            'or start over in this one (--overwrite)'
        )
    monkeypatch.setattr(generation, '__version__', '9')
    with pytest.raises(StoreError, match=r'box2seg_mmseg [0-9.]+ -> 9; choo'):
        run(dict(GRABCUT, perturbations=2))


def test_overwriting_leaves_no_png_of_before(run, tmp_path, scenes):
    run()
    first = next(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    inner = build_labeler(dict(BOX_FILL, inner=0.5))
    generate_pseudo_labels([first], inner, tmp_path, overwrite=True)
    assert [p.name for p in tmp_path.glob('*.png')] == ['train_0000.png']
    assert list(verify_pseudo_labels(tmp_path)) == []


def test_labels_outlive_photographs_that_are_gone(scenes, tmp_path):
    """As on a drive that is not mounted for one run."""
    images, labels = tmp_path / 'images', tmp_path / 'labels'
    images.mkdir()
    items = []
    for item in VOCXML(scenes, SCENE_CLASSES).read(IDS[:3]):
        path = images / f'{item.image_id}.jpg'
        shutil.copy(item.image_path, path)
        items.append(replace(item, image_path=str(path)))
    labeler = build_labeler(BOX_FILL)
    generate_pseudo_labels(items, labeler, labels)
    first = _contents(labels)
    images.rename(tmp_path / 'elsewhere')
    gone = generate_pseudo_labels(items, labeler, labels)
    assert gone.num_images == 0 and len(gone.errors) == 3
    lines = verify_pseudo_labels(labels)
    assert len(lines) == 3
    assert all('the last run failed: ' in line for line in lines)
    (tmp_path / 'elsewhere').rename(images)
    # Not part of this run: its label is still the one that was made.
    assert generate_pseudo_labels(items[1:], labeler, labels).num_kept == 2
    assert _contents(labels) == first


def test_an_image_that_is_broken_now_leaves_no_png_of_before(scenes, tmp_path):
    item = next(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    labeler = build_labeler(BOX_FILL)
    generate_pseudo_labels([item], labeler, tmp_path)
    assert (tmp_path / 'train_0000.png').exists()
    (tmp_path / 'broken.jpg').write_bytes(b'no image')
    broken = replace(item, image_path=str(tmp_path / 'broken.jpg'))
    assert generate_pseudo_labels([broken], labeler, tmp_path).errors
    assert not (tmp_path / 'train_0000.png').exists()


def test_only_folders_of_pseudo_labels_are_written_to(run, tmp_path):
    mask = tmp_path / 'train_0000.png'
    write_label_png(mask, np.ones((64, 64), np.uint8))
    for options in ({}, dict(overwrite=True)):
        with pytest.raises(StoreError, match='PNGs that this tool did not'):
            run(**options)
    assert (np.array(Image.open(mask)) == 1).all()
    labeler = build_labeler(BOX_FILL)
    with pytest.raises(FolderError, match=r'train_0000\.png: not a folder'):
        generate_pseudo_labels([], labeler, mask)
    mask.unlink()
    (tmp_path / 'manifest.json').write_text('{')
    with pytest.raises(StoreError, match=r'manifest\.json: cannot be read'):
        run()


def test_two_runs_do_not_share_a_folder(scenes, tmp_path):
    labeler = build_labeler(BOX_FILL)
    items = list(VOCXML(scenes, SCENE_CLASSES).read(IDS))

    def annotations():
        yield items[0]
        with pytest.raises(FolderError, match='another run is using this'):
            generate_pseudo_labels(items, labeler, tmp_path)
        yield items[1]

    assert (
        generate_pseudo_labels(annotations(), labeler, tmp_path).errors == []
    )
    assert generate_pseudo_labels(items, labeler, tmp_path).num_kept == 2


def test_what_left_the_split_is_forgotten(scenes, tmp_path):
    item = next(VOCXML(scenes, SCENE_CLASSES).read(IDS))
    gone = replace(item, image_id='gone', image_path='gone.jpg')
    labeler = build_labeler(BOX_FILL)
    generate_pseudo_labels([item, gone], labeler, tmp_path)
    assert len(list(verify_pseudo_labels(tmp_path))) == 1
    generate_pseudo_labels([item], labeler, tmp_path)
    assert list(verify_pseudo_labels(tmp_path)) == []


def test_records_say_what_was_made(run, tmp_path, scenes):
    run()
    lines = (tmp_path / 'records.jsonl').read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [r['image_id'] for r in records] == IDS
    for record in records:
        assert record['error'] is None
        assert set(record['filling_rates']) <= {1.0}
    made_by = json.loads((tmp_path / 'manifest.json').read_text())
    assert made_by['labeler'] == dict(BOX_FILL, inner=1.0)
    assert made_by['opencv'] == cv2.__version__
    run(dict(GRABCUT, perturbations=2), overwrite=True)
    lines = (tmp_path / 'records.jsonl').read_text().splitlines()
    for record in map(json.loads, lines):
        assert len(record['agreements']) == len(record['filling_rates']) > 0


def test_verify_finds_altered_truncated_and_missing_pngs(run, tmp_path):
    with pytest.raises(StoreError, match=r'no manifest\.json'):
        list(verify_pseudo_labels(tmp_path))
    run()
    assert list(verify_pseudo_labels(tmp_path)) == []
    (tmp_path / 'train_0001.png').unlink()
    cut = tmp_path / 'train_0002.png'
    cut.write_bytes(cut.read_bytes()[:-1])
    write_label_png(tmp_path / 'train_0003.png', np.zeros((64, 64), np.uint8))
    write_label_png(tmp_path / 'mine.png', np.zeros((64, 64), np.uint8))
    missing, truncated, altered, mine = verify_pseudo_labels(tmp_path)
    assert 'train_0001.png: missing' in missing
    assert 'train_0002.png: altered or truncated' in truncated
    assert 'train_0003.png: altered or truncated' in altered
    assert 'mine.png: has no record' in mine


class _Compiling(PseudoLabeler):
    """Calls a function that numba compiles for each labeler."""

    def __init__(self) -> None:
        self._ones = njit(lambda h, w: np.ones((h, w), np.uint8))

    def segmenter(self, image):
        return lambda box: Segment(
            self._ones(box[3] - box[1], box[2] - box[0])
        )


def test_compilation_is_announced_before_the_bar(scenes, tmp_path, capsys):
    for progress in (True, False):
        items = list(VOCXML(scenes, SCENE_CLASSES).read(IDS))
        labeler = _Compiling()
        paths = []
        generate_pseudo_labels(
            (paths.append(item) or item for item in items),
            labeler,
            tmp_path / str(progress),
            progress=progress,
            total=6,
        )
        printed = capsys.readouterr().err
        assert len(paths) == 6
        if not progress:
            assert printed == ''
            continue
        first, rest = printed.split('\n', 1)
        assert first.startswith('compiling _Compiling for this machine, once;')
        assert '0/6' in rest and '6/6' in rest and 'compiling' not in rest


def test_a_full_disk_is_told_and_made_good(run, tmp_path, monkeypatch):
    calls = []

    def full(path, label_map):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_label_png(path, label_map)

    monkeypatch.setattr(generation, 'write_label_png', full)
    assert len(run()) == 5
    (problem,) = verify_pseudo_labels(tmp_path)
    assert 'train_0002.png: No space left on device' in problem
    monkeypatch.undo()
    assert run() == ['train_0002.png']


@pytest.mark.slow
def test_a_killed_run_is_taken_up_byte_for_byte(scenes, tmp_path):
    (tmp_path / 'classes.txt').write_text('\n'.join(SCENE_CLASSES))

    def start(name):
        command = [
            sys.executable,
            Path(__file__).parents[2] / 'tools/generate_pseudo_labels.py',
            *(scenes, '--split', scenes / 'ImageSets/Segmentation/train.txt'),
            *('--classes', tmp_path / 'classes.txt', '--workers', '2'),
            *('--backend', 'opencv'),  # slow enough to be killed
            *('--instances', 'coco-rle', 'coco-polygons', 'yolo'),
            *('--out', tmp_path / name),
        ]
        return subprocess.Popen([*map(str, command)])

    pytest.importorskip('pycocotools', reason="needs the extra 'coco'")
    journal = tmp_path / 'killed/records.part.jsonl'
    for size in (1, 1500):  # at the first of 16 records, and among them
        killed = start('killed')
        while not journal.exists() or journal.stat().st_size < size:
            assert killed.poll() is None
        killed.kill()
        killed.wait()
    assert not (tmp_path / 'killed/records.jsonl').exists()
    (problem,) = verify_pseudo_labels(tmp_path / 'killed')
    assert 'the last run was not finished; run it again' in problem
    assert start('killed').wait() == 0
    assert start('whole').wait() == 0
    whole = _contents(tmp_path / 'whole')
    assert _contents(tmp_path / 'killed') == whole
    # PNG, masks and YOLO's text of 16 images, two COCO files, three records
    assert len(whole) == 3 * 16 + 2 + 3
