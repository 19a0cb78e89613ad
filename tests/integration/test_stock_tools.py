"""mmseg's own train.py and test.py with our configs, as a user runs them."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from pickle import UnpicklingError

import pytest
import stock_tools
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_from_local
from rendered_scenes import SCENE_CLASSES
from stock_tools import newest_checkpoint, run_experiment

from box2seg_mmseg.__main__ import stock_tool
from box2seg_mmseg.apis.export_segmentor import export_segmentor
from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/scenes'
NO_VALIDATION = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)


def _config(method):
    (path,) = CONFIGS.glob(f'{method}_*.py')
    return path


def _options(root, max_iters=6, **more):
    result = {
        f'{name}_dataloader.dataset.data_root': root
        for name in ('train', 'val', 'test')
    }
    result['train_dataloader.dataset.pseudo_label_dir'] = root / 'labels'
    result |= {
        'train_cfg.max_iters': max_iters,
        'default_hooks.checkpoint.interval': 2,
        'default_hooks.logger.interval': 1,
        'randomness.seed': 1,
        'model.decode_head.losses.1.warmup_iters': 2,
    }
    return result | more


@pytest.fixture(scope='module')
def unmasked(scenes, tmp_path_factory):
    """The scenes with stored pseudo labels and without any mask."""
    root = tmp_path_factory.mktemp('unmasked')
    shutil.copytree(scenes, root, dirs_exist_ok=True)
    shutil.rmtree(root / 'SegmentationClass')
    ids = (root / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(root, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='GrabCut')),
        root / 'labels',
    )
    return root


@pytest.fixture(scope='module')
def trained(stock, unmasked, tmp_path_factory):
    """A run of six iterations without interruption."""
    work_dir = tmp_path_factory.mktemp('trained')
    output = stock(
        'train',
        *(_config('box2seg'), '--work-dir', work_dir),
        **_options(unmasked) | NO_VALIDATION,
    )
    return work_dir, output


def _weights(work_dir, iteration):
    path = work_dir / f'iter_{iteration}.pth'
    return torch.load(path, weights_only=False)['state_dict']


def test_training_opens_no_mask(trained):
    """There is none to open."""
    work_dir, output = trained
    assert (work_dir / 'iter_6.pth').exists()
    for name in ('loss_gc', 'loss_fr', 'loss_fg', 'loss_affinity'):
        assert f'decode.{name}' in output
    for name in ('attention_in_boxes', 'gamma_eta', 'attention_off_grabcut'):
        assert f'decode.{name}' in output
    first = next(li for li in output.splitlines() if '[1/6]' in li)
    assert 'loss_fg' not in first, 'the warm-up has no L_fg'


def test_a_resumed_run_ends_in_the_same_weights(
    stock, trained, unmasked, tmp_path
):
    """And in the same moving average of them, with the miniatures' hooks."""
    schedule = CONFIGS.parent / '_base_/schedules/schedule_800_cpu.py'
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{_config('box2seg')}'\n"
        f'custom_hooks = {Config.fromfile(schedule).custom_hooks}\n'
    )
    keep_all = {
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
    }
    options = _options(unmasked) | NO_VALIDATION | keep_all
    arguments = (config, '--work-dir', tmp_path)
    # Stop after four iterations, then go on.
    stopped = options | {'train_cfg.max_iters': 4}
    stock('train', *arguments, **stopped)
    stock('train', *arguments, '--resume', **options)

    def raw(iteration):
        path = tmp_path / f'iter_{iteration}.pth'
        state = torch.load(path, weights_only=False)['ema_state_dict']
        return {name.removeprefix('module.'): v for name, v in state.items()}

    want, got = _weights(trained[0], 6), raw(6)
    assert all(torch.equal(want[name], got[name]) for name in want)
    mean = {name: value.double() for name, value in raw(1).items()}
    for step in range(1, 6):
        for name, value in raw(step + 1).items():
            mean[name] += 10 / (10 + step) * (value - mean[name])
    got = _weights(tmp_path, 6)
    for name, value in got.items():
        if value.is_floating_point():
            torch.testing.assert_close(
                value.double(), mean[name], rtol=1e-4, atol=1e-6
            )


def test_another_seed_ends_in_other_weights(
    stock, trained, unmasked, tmp_path
):
    options = _options(unmasked) | NO_VALIDATION | {'randomness.seed': 2}
    arguments = (_config('box2seg'), '--work-dir', tmp_path)
    stock('train', *arguments, **options)
    want, got = _weights(trained[0], 6), _weights(tmp_path, 6)
    assert any(not torch.equal(want[name], got[name]) for name in want)


def test_a_broken_checkpoint_is_passed_over(trained, unmasked, tmp_path):
    """A kill while the checkpoint was written, then the whole experiment."""
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    whole = (tmp_path / 'iter_6.pth').read_bytes()
    (tmp_path / 'iter_6.pth').write_bytes(whole[: len(whole) // 2])
    assert newest_checkpoint(tmp_path) == tmp_path / 'iter_4.pth'
    with pytest.raises(RuntimeError, match=r'SegmentationClass'):
        # Training resumes; the test needs the masks that are not there.
        run_experiment(
            _config('box2seg'), tmp_path, _options(unmasked), resume=True
        )
    want, got = _weights(trained[0], 6), _weights(tmp_path, 6)
    assert all(torch.equal(want[name], got[name]) for name in want)


def test_an_experiment_is_trained_and_tested_once(scenes, unmasked, tmp_path):
    options = _options(unmasked, max_iters=2) | {
        'test_dataloader.dataset.data_root': scenes
    }
    metrics = run_experiment(_config('box2seg'), tmp_path / 'a', options)
    assert 0 <= metrics['mIoU'] <= 100
    names = [p.name for p in (tmp_path / 'a/predictions').iterdir()]
    assert sorted(names) == [f'val_{i:04d}.png' for i in range(4)]
    arguments = (_config('box2seg'), tmp_path / 'a', options)
    # Cut after its training, it is only tested again.
    (tmp_path / 'a/result.json').unlink()
    log = (tmp_path / 'a/train.log').read_text()
    again = run_experiment(*arguments, resume=True)
    assert again['runs']['train'] == metrics['runs']['train']
    assert again['mIoU'] == metrics['mIoU']
    assert (tmp_path / 'a/train.log').read_text() == log
    # Whole, it is not run at all.
    (tmp_path / 'a/iter_2.pth').unlink()
    assert run_experiment(*arguments, resume=True) == again


def test_an_interrupt_ends_the_tool(unmasked, tmp_path, monkeypatch):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stock_tools.subprocess, 'Popen', Popen)
    monkeypatch.setattr(stock_tools.tqdm, 'update', interrupt)
    options = _options(unmasked, max_iters=1000)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(_config('box2seg'), tmp_path, options)
    (process,) = started
    assert process.returncode == -signal.SIGKILL


def test_the_exported_model_needs_no_plugin(stock, trained, scenes, tmp_path):
    checkpoint = trained[0] / 'iter_6.pth'
    *exported, _ = export_segmentor(_config('box2seg'), checkpoint, tmp_path)
    data = {'test_dataloader.dataset.data_root': scenes}
    stock(
        'test',
        *(_config('box2seg'), checkpoint, '--out', tmp_path / 'ours'),
        *('--work-dir', tmp_path / 'work'),
        **data,
    )
    script = (
        'import runpy, sys; sys.modules["box2seg_mmseg"] = None\n'
        'sys.argv = sys.argv[1:]\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")'
    )
    command = [sys.executable, '-c', script, stock_tool('test'), *exported]
    command += ['--out', tmp_path / 'stock', '--work-dir', tmp_path / 'work']
    command += ['--cfg-options', *(f'{k}={v}' for k, v in data.items())]
    subprocess.run([str(c) for c in command], check=True)
    names = sorted(p.name for p in (tmp_path / 'ours').iterdir())
    assert len(names) == 4
    for name in names:
        ours, stock = (tmp_path / d / name for d in ('ours', 'stock'))
        assert ours.read_bytes() == stock.read_bytes()


def test_another_models_checkpoint_is_not_tested(
    stock, trained, scenes, tmp_path
):
    with pytest.raises(AssertionError, match='not a checkpoint of this model'):
        stock(
            'test',
            *(_config('grabcut'), trained[0] / 'iter_6.pth'),
            *('--work-dir', tmp_path),
            **{'test_dataloader.dataset.data_root': scenes},
        )


def test_a_refused_checkpoint_is_explained(
    stock, trained, scenes, tmp_path, monkeypatch
):
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', raising=False)
    checkpoint = trained[0] / 'iter_6.pth'
    try:
        load_from_local(str(checkpoint), map_location='cpu')
    except UnpicklingError:
        message = r'iter_6\.pth: mmengine.* TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1'
        with pytest.raises(AssertionError, match=message):
            stock(
                'test',
                *(_config('box2seg'), checkpoint, '--work-dir', tmp_path),
                **{'test_dataloader.dataset.data_root': scenes},
            )
    else:
        pytest.skip('this mmengine loads its checkpoints with this torch')


def test_pictures_are_drawn_and_change_nothing(
    stock, trained, unmasked, tmp_path
):
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{_config('box2seg')}'\n"
        'custom_hooks = _base_.custom_hooks + [\n'
        "    dict(type='Box2SegVisualizationHook', interval=3)\n]\n"
    )
    options = _options(unmasked) | NO_VALIDATION
    stock('train', config, '--work-dir', tmp_path, **options)
    names = sorted(p.name for p in tmp_path.glob('*/vis_data/vis_image/*'))
    assert names == [
        f'box2seg_{i}_{step}.png' for i in (0, 1) for step in (3, 6)
    ]
    want, got = _weights(trained[0], 6), _weights(tmp_path, 6)
    assert all(torch.equal(want[name], got[name]) for name in want)


def test_the_crf_runs_in_test_and_validation(
    stock, trained, scenes, unmasked, tmp_path
):
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    # Weights below 0 drive neighbours apart: no prediction stays.
    crf = {
        'model.type': 'CRFEncoderDecoder',
        'model.test_cfg.crf.pos_w': -50,
        'model.test_cfg.crf.min_prob': 0,
    }
    workers = {'model.test_cfg.crf.workers': 2}
    batches = {'test_dataloader.batch_size': 2}
    # mmseg 1.2.2 draws every 50th image only, and counts the iterations of
    # the training to do so, which opens the training data.
    drawing = _options(unmasked) | {'default_hooks.visualization.interval': 1}
    folders = {}
    for name, options in (
        ('none', {}),
        ('plain', crf),
        ('parallel', crf | workers | batches),
    ):
        folders[name] = tmp_path / name
        stock(
            'test',
            *(_config('box2seg'), trained[0] / 'iter_6.pth'),
            *('--out', folders[name], '--show-dir', tmp_path / 'shown'),
            *('--work-dir', tmp_path / 'work'),
            **drawing | {'test_dataloader.dataset.data_root': scenes},
            **options,
        )
    for i in range(4):
        none, plain, parallel = (
            (folder / f'val_{i:04d}.png').read_bytes()
            for folder in folders.values()
        )
        assert plain == parallel != none
    assert list(tmp_path.rglob('vis_image/*'))

    output = stock(
        'train',
        *(_config('box2seg'), '--work-dir', tmp_path / 'train'),
        **_options(unmasked, max_iters=2)
        | crf
        | {
            'train_cfg.val_interval': 2,
            'val_dataloader.dataset.data_root': scenes,
        },
    )
    assert 'Iter(val) [4/4]' in output and 'mIoU' in output


def test_the_usage_is_told():
    command = [sys.executable, '-m', 'box2seg_mmseg']
    done = subprocess.run([*command, 'export'], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'no such tool; did you mean export_segmentor' in done.stderr
    done = subprocess.run(
        [*command, 'test', '--help'], capture_output=True, text=True
    )
    assert done.returncode == 0 and '--tta' in done.stdout
