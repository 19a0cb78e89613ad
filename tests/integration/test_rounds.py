"""train_rounds and refine_pseudo_labels, as a user runs them."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/scenes'
(CONFIG,) = CONFIGS.glob('grabcut_*.py')


@pytest.fixture
def data(scenes, tmp_path):
    """Options of eight scenes, and the folder of their labels."""
    ids = [f'train_000{i}' for i in range(8)]
    split, labels = tmp_path / 'eight.txt', tmp_path / 'labels'
    split.write_text('\n'.join(ids))
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='GrabCut')),
        labels,
    )
    options = [
        f'train_dataloader.dataset.data_root={scenes}',
        f'train_dataloader.dataset.ann_file={split}',
        'train_cfg.max_iters=2',
        'train_cfg.val_interval=5',
        'default_hooks.checkpoint.interval=1',
        'val_cfg=None',
        'val_dataloader=None',
        'val_evaluator=None',
    ]
    return options, labels, ids


def test_rounds_are_cross_fitted_and_resumed(
    run_tool_here, scenes, data, tmp_path
):
    options, labels, ids = data
    work_dir = tmp_path / 'work'

    def run(*more):
        return run_tool_here(
            'train_rounds.py',
            *(CONFIG, '--labels', labels, '--work-dir', work_dir),
            *('--rounds', 2, '--tightness', 0.6, *more),
            *('--cfg-options', *options),
        )

    done = run('--no-final')
    assert done.returncode == 0, done.stderr
    labelled = []
    for k in range(2):
        train, others = (
            (work_dir / f'folds/{name}{k}.txt').read_text().split()
            for name in ('train', 'label')
        )
        assert sorted(train + others) == ids
        labelled += others
        for number in (1, 2):
            fold = work_dir / f'round{number}/fold{k}'
            assert json.loads((fold / 'finished.json').read_text()) == {
                'checkpoint': 'iter_2.pth'
            }
            (config,) = fold.glob('*.py')
            used = Config.fromfile(config).train_dataloader.dataset
            assert used.ann_file == str(work_dir / f'folds/train{k}.txt')
            newest = labels if number == 1 else work_dir / 'round1/labels'
            assert used.pseudo_label_dir == str(newest)
    assert sorted(labelled) == ids
    for number in (1, 2):
        folder = work_dir / f'round{number}/labels'
        manifest = json.loads((folder / 'manifest.json').read_text())
        assert manifest['labeler']['tightness'] == 0.6
        assert list(manifest['checkpoints']) == [
            str(work_dir / f'round{number}/fold{k}/iter_2.pth')
            for k in range(2)
        ]
        for item in VOCXML(scenes, SCENE_CLASSES).read(ids):
            new = np.array(Image.open(folder / f'{item.image_id}.png'))
            assert set(np.unique(new)) <= {0, *item.labels}
    assert not (work_dir / 'round2/final').exists()

    # Nothing is done twice; what is missing is made.
    done = run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(' train ') == 1
    (config,) = (work_dir / 'round2/final').glob('*.py')
    used = Config.fromfile(config).train_dataloader.dataset
    assert used.pseudo_label_dir == str(work_dir / 'round2/labels')
    assert (config.parent / 'iter_2.pth').exists()
    times = {
        path: path.stat().st_mtime_ns for path in work_dir.rglob('iter_2.pth')
    }
    assert len(times) == 5
    lost = work_dir / 'round2/fold1/iter_2.pth'
    (lost.parent / 'finished.json').unlink()
    done = run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(' train ') == 1 and '--resume' in done.stdout
    for path, before in times.items():
        assert path == lost or path.stat().st_mtime_ns == before

    (other,) = CONFIGS.glob('box2seg_*.py')
    done = run('--final-config', other)
    assert done.returncode == 2
    assert f'{work_dir}/round2/final/arguments.json: config' in done.stderr

    done = run('--folds', 4)
    assert done.returncode == 2
    assert 'num_folds was 2 and is now 4; choose another' in done.stderr

    # Another split would move images to other folds.
    folds = (work_dir / 'folds/label0.txt').read_text()
    (tmp_path / 'eight.txt').write_text('\n'.join(ids[1:]))
    done = run()
    assert done.returncode == 2
    assert 'split was 8 images' in done.stderr
    assert 'is now 7 images' in done.stderr
    assert (work_dir / 'folds/label0.txt').read_text() == folds


def test_refine_pseudo_labels(run_tool_here, scenes, data, tmp_path, stock):
    options, labels, ids = data
    pairs = dict(option.split('=', 1) for option in options)
    pairs['train_dataloader.dataset.pseudo_label_dir'] = labels
    stock('train', CONFIG, '--work-dir', tmp_path / 'run', **pairs)
    classes = tmp_path / 'classes.txt'
    classes.write_text('\n'.join(SCENE_CLASSES))

    def run(out, *more):
        return run_tool_here(
            'refine_pseudo_labels.py',
            *(CONFIG, tmp_path / 'run/iter_2.pth', scenes),
            *('--split', tmp_path / 'eight.txt', '--classes', classes),
            *('--labels', labels, '--out', out, *more),
        )

    same = tmp_path / 'same'
    unchanged = (
        *('--network-share', 0, '--no-crf'),
        *('--tightness', 0, '--least-filling', 0),
    )
    done = run(same, *unchanged)
    assert done.returncode == 0, done.stderr
    assert '8 images,' in done.stdout
    for name in ids:
        np.testing.assert_array_equal(
            np.array(Image.open(same / f'{name}.png')),
            np.array(Image.open(labels / f'{name}.png')),
        )
    done = run(same, '--no-crf')
    assert done.returncode == 1 and '--overwrite' in done.stderr
    assert run(labels).returncode == 2
    done = run(tmp_path / 'soft', '--confidence', 0.3)
    assert done.returncode == 2 and 'confidence must be in' in done.stderr
    classes.write_text('\n'.join([*SCENE_CLASSES[1:], SCENE_CLASSES[0]]))
    done = run(tmp_path / 'other')
    assert done.returncode == 2 and 'its classes are not those' in done.stderr
    classes.write_text('\n'.join(SCENE_CLASSES))
    (labels / f'{ids[0]}.png').unlink()
    done = run(same, *unchanged)
    assert done.returncode == 1
    assert f'{labels}/{ids[0]}.png: missing' in done.stderr
