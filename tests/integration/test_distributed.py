"""Two processes on CPUs against one with the same images."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rendered_scenes import SCENE_CLASSES, write_scenes

from box2seg_mmseg.__main__ import stock_tool
from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.label_maps import write_label_png
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

STEPS = Path(__file__).with_name('distributed_steps.py')
SCENES = Path(__file__).resolve().parents[2] / 'configs/scenes'
SWITCH = (
    'env_cfg.dist_cfg.backend=gloo',
    'model_wrapper_cfg.type=CPUDistributedDataParallel',
)


def _launch(*command, **options):
    """Run a script, or ``-m MODULE``, in two processes."""
    launcher = '-m', 'torch.distributed.run', '--standalone'
    done = subprocess.run(
        [sys.executable, *launcher, '--nproc_per_node=2', *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-4000:]
    return output


def _assert_close(got, want, **tolerance):
    torch.testing.assert_close(
        got, want, **dict(rtol=1e-5, atol=1e-6) | tolerance
    )


def test_a_step_is_that_of_one_process_with_all_images(tmp_path):
    """Values, gradients and weights, whichever loss is off or in warm-up.

    GN's statistics do not depend on how the batch is divided.
    """
    _launch(STEPS, tmp_path)
    processes = [torch.load(tmp_path / f'{i}.pt') for i in (0, 1)]
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
