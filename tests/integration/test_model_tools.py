"""The tools that take a checkpoint."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmseg.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
(BOX2SEG_CONFIG,) = ROOT.glob('configs/scenes/box2seg_*.py')


@pytest.fixture
def checkpoint(tmp_path_factory):
    """Of the scenes' Box2Seg, as mmengine writes it; not trained."""
    cfg = Config.fromfile(BOX2SEG_CONFIG)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    for name, value in model.state_dict().items():
        if name.endswith('conv_seg.weight'):
            value.normal_()  # predictions that vary from pixel to pixel
    buffer = HistoryBuffer()
    buffer.update(0.5)
    path = tmp_path_factory.mktemp('checkpoint') / 'iter_1.pth'
    dataset_meta = cfg.train_dataloader.dataset.metainfo.to_dict()
    torch.save(
        dict(
            meta=dict(dataset_meta=dataset_meta, time=np.float64(1)),
            state_dict=model.state_dict(),
            message_hub=dict(log_scalars=dict(loss=buffer)),
        ),
        path,
    )
    return path


def test_a_folder_is_predicted(scenes, checkpoint, tmp_path, run_tool_here):
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    images = tmp_path / 'images'
    (images / 'sub').mkdir(parents=True)
    for name in ('a', 'sub/b'):
        shutil.copy(scenes / 'JPEGImages/val_0000.jpg', images / f'{name}.jpg')
    refining = tmp_path / 'crf.py'
    refining.write_text(
        f"_base_ = '{BOX2SEG_CONFIG}'\n"
        "model = dict(type='CRFEncoderDecoder',\n"
        '    test_cfg=dict(crf=dict(pos_w=-50.0, min_prob=0)))\n'
    )
    results = {}
    for name, config, options in (
        ('network', BOX2SEG_CONFIG, ()),
        ('defaults', BOX2SEG_CONFIG, ('--crf',)),
        ('configured', refining, ()),
        ('both', refining, ('--crf', '--workers', 2)),
    ):
        out = images / name
        done = run_tool_here(
            'predict.py', config, checkpoint, images, '--out', out, *options
        )
        assert done.returncode == 0, done.stderr
        assert '2 photographs ->' in done.stdout
        masks = [out / 'masks/a.png', out / 'masks/sub/b.png']
        # The same photograph twice.
        first, second = (path.read_bytes() for path in masks)
        assert first == second
        assert (out / 'overlays/sub/b.jpg').exists()
        if name == 'network':
            assert not (out / 'network').exists()
        else:
            network = (out / 'network/sub/b.png').read_bytes()
            assert network == results['network']
        results[name] = first
        shutil.move(out, tmp_path / name)
    assert results['configured'] == results['both']
    assert len(set(results.values())) == 3

    (images / 'sub/broken.jpg').write_bytes(b'no image')
    done = run_tool_here(
        'predict.py', BOX2SEG_CONFIG, checkpoint, images, '--out', tmp_path
    )
    assert done.returncode == 1 and 'sub/broken.jpg' in done.stderr


def test_checkpoints_are_compared(scenes, checkpoint, tmp_path, run_tool_here):
    classes = tmp_path / 'classes.txt'
    classes.write_text('disk\nring\nstar\nlollipop\nframe\n')
    pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
    page = tmp_path / 'page.html'
    done = run_tool_here(
        'compare_methods.py', '--data-root', scenes, '--classes', classes,
        *('--split', scenes / 'ImageSets/Segmentation/val.txt'),
        *('--checkpoint', f'Box2Seg={BOX2SEG_CONFIG},{checkpoint}'),
        *('--crf', '--out', page),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r'class +Box2Seg +Box2Seg \+ CRF', done.stdout)
    assert 'attention, ' in page.read_text()
    folders = [tmp_path / 'page' / n for n in ('Box2Seg', 'Box2Seg + CRF')]
    network, refined = (
        [(folder / f'val_{i:04d}.png').read_bytes() for i in range(4)]
        for folder in folders
    )
    assert all(a != b for a, b in zip(network, refined, strict=True))


def test_a_model_is_exported(checkpoint, tmp_path, run_tool_here):
    out = tmp_path / 'out'
    done = run_tool_here(
        'export_segmentor.py', BOX2SEG_CONFIG, checkpoint, out
    )
    assert done.returncode == 0 and 'warning' not in done.stderr
    assert done.stdout.split() == [
        str(out / f'segmentor.{suffix}') for suffix in ('py', 'pth')
    ]
    config = tmp_path / 'own_metric.py'
    config.write_text(
        f"_base_ = '{BOX2SEG_CONFIG}'\n"
        "test_pipeline = _base_.test_pipeline + [dict(type='MergeClasses')]\n"
        'test_dataloader = dict(dataset=dict(pipeline=test_pipeline))\n'
    )
    command = ('export_segmentor.py', config, checkpoint, out)
    done = run_tool_here(*command)
    assert done.returncode == 1 and 'MergeClasses is not part' in done.stderr
    done = run_tool_here(*command, '--allow-plugin')
    assert done.returncode == 0
    assert 'warning: ' in done.stderr and 'for MergeClasses' in done.stderr


def test_weights_that_are_objects_need_trust(
    scenes, checkpoint, tmp_path, run_tool_here
):
    """In every tool that reads a checkpoint."""
    weights = torch.load(checkpoint, weights_only=False)['state_dict']
    torch.save({k: v.numpy() for k, v in weights.items()}, checkpoint)
    model = (BOX2SEG_CONFIG, checkpoint)
    split = tmp_path / 'one.txt'
    split.write_text('val_0000\n')
    (tmp_path / 'images').mkdir()
    shutil.copy(scenes / 'JPEGImages/val_0000.jpg', tmp_path / 'images')
    classes = tmp_path / 'classes.txt'
    classes.write_text('disk\nring\nstar\nlollipop\nframe\n')
    data = ('--data-root', scenes, '--classes', classes, '--split', split)
    masks = scenes / 'SegmentationClass'
    pair = f'Box2Seg={BOX2SEG_CONFIG},{checkpoint}'
    for command in (
        ('export_segmentor.py', *model, tmp_path / 'exported'),
        ('predict.py', *model, tmp_path / 'images', '--out', tmp_path / 'p'),
        ('evaluate_attention.py', *model, *data, '--pseudo-labels', masks),
        ('compare_methods.py', *data, '--prediction', f'masks={masks}',
         '--checkpoint', pair, '--out', tmp_path / 'page.html'),
    ):  # fmt: skip
        done = run_tool_here(*command)
        assert done.returncode == 1
        assert done.stderr.count('\n') == 1
        assert f'{checkpoint}: backbone.' in done.stderr
        assert 'pass --trust-checkpoint' in done.stderr
        done = run_tool_here(*command, '--trust-checkpoint')
        assert done.returncode == 0, done.stderr


def test_a_full_disk_is_told_in_one_line(checkpoint, tmp_path):
    """By a limit on the size of files, in a process of its own."""
    command = ['bash', '-c', 'ulimit -f 1000; exec "$@"', 'bash']
    command += [sys.executable, ROOT / 'tools/export_segmentor.py']
    done = subprocess.run(
        [*command, BOX2SEG_CONFIG, checkpoint, tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()[-1:]
    assert line.endswith(f'{tmp_path / "segmentor.pth"}: File too large')
    assert [path.name for path in tmp_path.iterdir()] == ['segmentor.py']
