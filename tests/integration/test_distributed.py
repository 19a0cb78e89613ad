"""Two processes on CPUs against one with the same images."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rendered_scenes import write_scenes

from box2seg_mmseg.__main__ import stock_tool
from box2seg_mmseg.label_maps import read_label_png, write_label_png

STEPS = Path(__file__).with_name('distributed_steps.py')
SCENES = Path(__file__).resolve().parents[2] / 'configs/scenes'
SWITCH = (
    'env_cfg.dist_cfg.backend=gloo',
    'model_wrapper_cfg.type=CPUDistributedDataParallel',
)


def _launch(folder, *command):
    """Run a script, or ``-m MODULE``, in two processes, from a folder."""
    launcher = '-m', 'torch.distributed.run', '--standalone'
    done = subprocess.run(
        [sys.executable, *launcher, '--nproc_per_node=2', *map(str, command)],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def _assert_close(got, want, **tolerance):
    torch.testing.assert_close(
        got, want, **dict(rtol=1e-5, atol=1e-6) | tolerance
    )


def test_a_step_is_that_of_one_process_with_all_images(tmp_path):
    """Values, gradients and weights, whichever loss is off or in warm-up.

    GN's statistics do not depend on how the batch is divided.
    """
    _launch(tmp_path, STEPS, tmp_path)
    processes = [
        torch.load(tmp_path / f'{rank}.pt', weights_only=True)
        for rank in (0, 1)
    ]
    steps = runpy.run_path(str(STEPS))
    build, train = steps['build_model'], steps['train']
    for case, *results in zip(steps['CASES'], *processes, strict=False):
        losses, share, boxed = case
        want = train(build(losses, share), range(4), boxed)
        for got in results:
            for i in range(3):
                for name, value in want[i]['values'].items():
                    if 'loss' in name or name == 'decode.ignored':
                        _assert_close(got[i]['values'][name], value)
                _assert_close(got[i]['gradients'], want[i]['gradients'])
                _assert_close(got[i]['state'], want[i]['state'])
        # The other statistics are means of those of the processes.
        halves = [
            train(build(losses, share), images, boxed)[0]['values']
            for images in ((0, 1), (2, 3))
        ]
        for name, value in results[0][0]['values'].items():
            if 'loss' not in name:
                _assert_close(value, (halves[0][name] + halves[1][name]) / 2)

    # SyncBN became BN, and the running statistics are means too.
    states = [got[-1][0]['state'] for got in processes]
    _assert_close(*states, rtol=0, atol=0)
    halves = [
        train(build('all', False, 'BN'), images, True)[0]['state']
        for images in ((0, 1), (2, 3))
    ]
    for name in ('backbone.norm.running_mean', 'backbone.norm.running_var'):
        mean = (halves[0][name] + halves[1][name]) / 2
        _assert_close(states[0][name], mean)
        assert not torch.allclose(halves[0][name], mean)


CONFIG = """
_base_ = '{base}'
work_dir = '{folder}/one'
# GN and no augmentation: the same in two processes. Large weights, so that
# all classes are predicted.
decoder = dict(
    dropout_ratio=0,
    norm_cfg=dict(_delete_=True, type='GN', num_groups=4),
    init_cfg=dict(type='Normal', std=1, override=dict(name='conv_seg')),
)
model = dict(
    type='CRFEncoderDecoder',
    test_cfg=dict(crf=dict(iterations=2)),
    backbone=dict(norm_cfg=dict(_delete_=True, type='GN', num_groups=4)),
    data_preprocessor=dict(size=(64, 64)),
    decode_head=dict(
        decoder=decoder,
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=2),
            dict(type='AffinityLoss', pretrain_iters=2),
        ],
    ),
)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-4, momentum=0.9),
)
param_scheduler = []
randomness = dict(seed=0)
train_dataloader = dict(
    batch_size=4,
    sampler=dict(shuffle=False),
    dataset=dict(
        data_root='{folder}',
        pseudo_label_dir='{folder}/labels',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadBoxes'),
            dict(type='LoadPseudoLabels'),
            dict(type='PackBox2SegInputs'),
        ],
    ),
)
val_dataloader = dict(dataset=dict(data_root='{folder}'))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='TagIoUMetric', iou_metrics=['mIoU'])
test_evaluator = dict(
    _delete_=True,
    type='TagIoUMetric',
    iou_metrics=['mIoU'],
    output_dir='{folder}/one/masks',
)
tta_model = dict(type='CRFSegTTAModel')
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
train_cfg = dict(max_iters=6, val_interval=3)
default_hooks = dict(
    logger=dict(interval=1), checkpoint=dict(interval=3, max_keep_ckpts=-1)
)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='Box2SegVisualizationHook', interval=6),
]
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """A config; its scenes differ in ignored pixels, the first has no box."""
    folder = tmp_path_factory.mktemp('distributed')
    write_scenes(folder, num_train=8, num_val=5, side=64, seed=3)
    ids = (folder / 'ImageSets/Segmentation/train.txt').read_text().split()
    (xml,) = folder.rglob(f'{ids[0]}.xml')
    head, *_, tail = re.split('<object>|</object>', xml.read_text())
    xml.write_text(head + tail)
    (folder / 'labels').mkdir()
    for i, image_id in enumerate(ids):
        name = f'{image_id}.png'
        label = read_label_png(folder / 'SegmentationClass' / name, 6)
        label[: 20 * (i % 3)] = 255
        write_label_png(folder / 'labels' / name, label)
    path = folder / 'config.py'
    (base,) = SCENES.glob('box2seg_*.py')
    path.write_text(CONFIG.format(base=base, folder=folder))
    return path


def _logged(work_dir):
    """The lines of a run's log, of training and of validation."""
    paths = sorted(work_dir.glob('*/vis_data/scalars.json'))
    lines = [json.loads(t) for p in paths for t in p.read_text().splitlines()]
    for line in lines:
        line.pop('time'), line.pop('data_time')
    return (
        [line for line in lines if 'loss' in line],
        [line for line in lines if 'mIoU' in line],
    )


def test_the_stock_tools_do_in_two_processes_what_they_do_in_one(config):
    """Train, validate, resume, and test with TTA and CRF on five images."""
    folder, options = config.parent, ('--cfg-options', *SWITCH)
    two, common = folder / 'two', (config, '--launcher', 'pytorch')
    common = *common, '--work-dir', two
    batch = 'train_dataloader.batch_size=2'
    _launch(
        folder,
        *(stock_tool('train'), *common, *options, batch),
        *('train_cfg.max_iters=3', 'custom_hooks=[]'),
    )
    tool = '-m', 'box2seg_mmseg'
    _launch(folder, *tool, 'train', *common, '--resume', *options, batch)

    cfg = Config.fromfile(config)
    Runner.from_cfg(cfg).train()
    (training, validation), want = _logged(two), _logged(folder / 'one')
    assert len(training) == len(want[0]) == 6 and validation == want[1] != []
    for got, line in zip(training, want[0], strict=True):
        for name, value in line.items():
            if 'loss' in name or name == 'decode.ignored':
                assert got[name] == pytest.approx(value, rel=1e-5), name
    assert training[1].keys() < training[2].keys()
    got, want = (
        torch.load(folder / name / 'iter_6.pth', weights_only=False)
        for name in ('two', 'one')
    )
    _assert_close(got['state_dict'], want['state_dict'], rtol=1e-4)
    pictures = [p.name for p in two.rglob('vis_image/*')]
    assert sorted(pictures) == ['box2seg_0_6.png', 'box2seg_1_6.png']

    checkpoint = two / 'iter_6.pth'
    _launch(
        folder,
        *(*tool, 'test', config, checkpoint, *common[1:]),
        *('--tta', '--out', two / 'masks', *options),
    )
    cfg.load_from = str(checkpoint)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)
    want = Runner.from_cfg(cfg).test()
    (result,) = two.glob('*/2*.json')
    # Both processes write this file. The second may overwrite a longer text,
    # of which the end remains.
    got, _ = json.JSONDecoder().raw_decode(result.read_text())
    assert {name: got[name] for name in want} == want
    for path in sorted((folder / 'one/masks').iterdir()):
        assert path.read_bytes() == (two / 'masks' / path.name).read_bytes()
