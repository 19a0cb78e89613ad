"""Train Deep GrabCut with the stock tool, test it, label with it."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/deep_grabcut'


def test_train_test_and_label(photographs, run_tool, stock, tmp_path):
    (config,) = CONFIGS.glob('deep-grabcut_*.py')
    split = photographs / 'ImageSets/Segmentation/train.txt'
    labels, work_dir = tmp_path / 'labels', tmp_path / 'run'
    command = ['generate_pseudo_labels.py', photographs, '--split', split]
    run_tool(*command, '--out', labels, '--method', 'box_fill')
    options = {
        f'{name}_dataloader.dataset.data_root': photographs
        for name in ('train', 'val', 'test')
    }
    options |= {
        'train_dataloader.dataset.pseudo_label_dir': labels,
        'train_dataloader.batch_size': 2,
        'model.backbone.backbone.init_cfg': None,
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'default_hooks.checkpoint.interval': 2,
        'default_hooks.logger.interval': 1,
    }
    output = stock('train', config, '--work-dir', work_dir, **options)
    assert 'mIoU' in output and 'object' in output
    checkpoint = work_dir / 'iter_2.pth'
    assert 'mIoU' in stock(
        'test',
        *(config, checkpoint, '--work-dir', work_dir / 'test'),
        **options,
    )

    out = tmp_path / 'deep'
    command += ['--method', 'deep_grabcut', '--config', config]
    done = run_tool(*command, '--checkpoint', checkpoint, '--out', out)
    assert done.returncode == 0, done.stderr
    names = split.read_text().split()
    assert f'{len(names)} images' in done.stdout
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['labeler']['type'] == 'DeepGrabCut'
    assert len(manifest['checkpoint_hash']) == 32
    for name in names:
        mask = np.array(Image.open(out / f'{name}.png'))
        filled = np.array(Image.open(labels / f'{name}.png'))
        assert mask.any() and not mask[filled == 0].any()
    done = run_tool(*command, '--checkpoint', checkpoint, '--out', out)
    assert f'{len(names)} images were already labelled' in done.stdout
