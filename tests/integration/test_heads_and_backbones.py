"""A step with stock train.py for each head and each backbone."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from head_cases import CASES, write_config
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

LOSSES = ('loss_gc', 'loss_fg', 'loss_bg', 'loss_fr', 'loss_affinity')
TRAINED = [*CASES[::5], CASES[-1]]  # the diagonal of the table
TRAIN = """
import sys
from box2seg_mmseg.__main__ import main
split = sys.argv.index('--cfg-options')
folders, options = sys.argv[1:split], sys.argv[split:]
for folder in folders:
    sys.argv = ['box2seg', 'train', f'{folder}/config.py']
    sys.argv += ['--work-dir', f'{folder}/work', *options]
    main()
"""


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """Folders of trainings of one step; half of the decoders are shared."""
    root = tmp_path_factory.mktemp('trained')
    ids = (scenes / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='BoxFill')),
        root / 'labels',
    )
    options = {
        'train_cfg.max_iters': 1,
        'train_dataloader.batch_size': 2,
        'train_dataloader.dataset.data_root': scenes,
        'train_dataloader.dataset.pseudo_label_dir': root / 'labels',
    }
    options |= dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    folders = {
        case: write_config(root, case, share=i % 2 == 1)
        for i, case in enumerate(TRAINED)
    }
    options = [f'{key}={value}' for key, value in options.items()]
    command = [sys.executable, '-c', TRAIN, *folders.values()]
    command += ['--cfg-options', *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folders


@pytest.mark.parametrize(('head', 'backbone'), TRAINED)
def test_a_step_with_stock_train(trained, head, backbone):
    checkpoint = torch.load(
        trained[head, backbone] / 'work/iter_1.pth', weights_only=False
    )
    logs = checkpoint['message_hub']['log_scalars']
    losses = {
        name: history.current()
        for name, history in logs.items()
        if 'loss' in name
    }
    assert {f'train/decode.{name}' for name in LOSSES} <= losses.keys()
    assert np.isfinite(list(losses.values())).all()
