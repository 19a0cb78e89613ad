"""The tool make_edge_maps, with HED's network and random weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from rendered_scenes import SCENE_CLASSES
from torch.nn.functional import avg_pool2d, interpolate

from box2seg_mmseg.models import HED

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    network = HED().eval()
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.kaiming_normal_(parameter)
    torch.nn.init.constant_(network.fuse.weight, 0.002)
    return network


@pytest.fixture
def arguments(scenes, model, tmp_path):
    weights = tmp_path / 'hed.pth'
    torch.save(dict(state_dict=model.state_dict()), weights)
    classes = tmp_path / 'classes.txt'
    classes.write_text('\n'.join(SCENE_CLASSES))
    return [
        *(scenes, '--classes', classes, '--weights', weights),
        *('--split', scenes / 'ImageSets/Segmentation/val.txt'),
        *('--out', tmp_path / 'edges'),
    ]


def _ids(scenes):
    return (scenes / 'ImageSets/Segmentation/val.txt').read_text().split()


def test_maps_are_the_networks_and_are_kept(
    arguments, scenes, model, tmp_path, run_tool_here
):
    done = run_tool_here('make_edge_maps.py', *arguments)
    assert done.returncode == 0, done.stderr
    assert '4 images -> ' in done.stdout
    folder = tmp_path / 'edges'
    for image_id in _ids(scenes):
        image = cv2.imread(str(scenes / f'JPEGImages/{image_id}.jpg'))
        batch = torch.tensor(image).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            want = 255 * model(batch)[0, 0].numpy()
        got = cv2.imread(str(folder / f'{image_id}.png'), -1)
        assert got.shape == image.shape[:2] and got.std() > 3
        np.testing.assert_allclose(got, want, atol=0.51)
    first, second, *_ = _ids(scenes)
    (folder / f'{first}.png').unlink()
    (folder / f'{second}.png').write_bytes(b'cut short')
    kept = {p.name: p.stat().st_mtime_ns for p in folder.glob('*.png')}
    done = run_tool_here('make_edge_maps.py', *arguments)
    assert '4 images' in done.stdout and '2 images already' in done.stdout
    now = {p.name: p.stat().st_mtime_ns for p in folder.glob('*.png')}
    changed = {k for k in now if now[k] != kept.get(k)}
    assert changed == {f'{first}.png', f'{second}.png'}


def test_large_photographs_are_shrunk_for_the_network(
    arguments, scenes, model, tmp_path, run_tool_here
):
    """Scenes of 64 x 64 px with a limit of 32 x 32."""
    options = '--max-pixels', 32 * 32 + 1
    done = run_tool_here('make_edge_maps.py', *arguments, *options)
    assert done.returncode == 0, done.stderr
    for image_id in _ids(scenes):
        image = cv2.imread(str(scenes / f'JPEGImages/{image_id}.jpg'))
        assert image.shape == (64, 64, 3)
        batch = torch.tensor(image).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            small = model(avg_pool2d(batch, 2).round())
            want = 255 * interpolate(small, (64, 64), mode='bilinear')[0, 0]
        got = cv2.imread(str(tmp_path / f'edges/{image_id}.png'), -1)
        # The means of four pixels may be rounded to another neighbour.
        np.testing.assert_allclose(got, want.numpy(), atol=2)
    done = run_tool_here('make_edge_maps.py', *arguments)
    assert done.returncode == 1 and 'max_pixels' in done.stderr


def test_other_weights_need_overwrite(
    arguments, model, tmp_path, run_tool_here
):
    assert run_tool_here('make_edge_maps.py', *arguments).returncode == 0
    state = {k: v + 0.01 for k, v in model.state_dict().items()}
    torch.save(state, tmp_path / 'hed.pth')
    done = run_tool_here('make_edge_maps.py', *arguments)
    assert done.returncode == 1 and '(--overwrite)' in done.stderr
    before = json.loads((tmp_path / 'edges/manifest.json').read_text())
    done = run_tool_here('make_edge_maps.py', *arguments, '--overwrite')
    assert done.returncode == 0 and '; 0 images already' in done.stdout
    after = json.loads((tmp_path / 'edges/manifest.json').read_text())
    assert before['edges'] == after['edges'] == 'HED'
    assert before['weights'] != after['weights']


def test_faults_are_listed_or_refused(arguments, tmp_path, run_tool_here):
    folder = tmp_path / 'few'
    (folder / 'JPEGImages').mkdir(parents=True)
    images = [
        dict(id=i, file_name=f'{name}.png', width=20, height=20)
        for i, name in enumerate('abc')
    ]
    boxes = [
        dict(id=i, image_id=i, category_id=1, bbox=[2, 2, 9, 9])
        for i in range(3)
    ]
    categories = [dict(id=1, name='dog')]
    (folder / 'boxes.json').write_text(
        json.dumps(
            dict(images=images, annotations=boxes, categories=categories)
        )
    )
    cv2.imwrite(
        str(folder / 'JPEGImages/a.png'), np.zeros((20, 20, 3), np.uint8)
    )
    (folder / 'JPEGImages/b.png').write_bytes(b'no image')
    (folder / 'split.txt').write_text('a\nb\nc\n')
    words = [folder, '--format', 'coco', '--split', folder / 'split.txt']
    words += arguments[3:5] + arguments[-2:]
    done = run_tool_here('make_edge_maps.py', *words)
    assert done.returncode == 1 and '1 images -> ' in done.stdout
    assert [p.name for p in (tmp_path / 'edges').glob('*.png')] == ['a.png']
    listed = [
        line for line in done.stderr.splitlines() if line.startswith('no map')
    ]
    assert len(listed) == 2 and 'b.png: not an image' in listed[0]
    assert 'c.png: missing' in listed[1]
    torch.save(dict(conv=torch.zeros(3)), tmp_path / 'hed.pth')
    done = run_tool_here('make_edge_maps.py', *words)
    assert done.returncode == 1 and 'not the weights of HED' in done.stderr
    words[words.index('--split') + 1] = folder / 'none.txt'
    assert run_tool_here('make_edge_maps.py', *words).returncode == 2


def test_without_weights_the_converter_is_named(
    arguments, tmp_path, monkeypatch, run_tool_here
):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    at = arguments.index('--weights')
    done = run_tool_here(
        'make_edge_maps.py', *arguments[:at], *arguments[at + 2 :]
    )
    assert done.returncode == 1
    assert 'box2seg convert_backbone hed' in done.stderr


@pytest.mark.slow
def test_an_interrupted_run_is_resumed(arguments, scenes, tmp_path):
    """Ctrl-C after the first map leaves whole maps, which the next keeps."""
    (tmp_path / 'split.txt').write_text(
        '\n'.join(sorted(p.stem for p in scenes.glob('JPEGImages/*')))
    )
    arguments[arguments.index('--split') + 1] = tmp_path / 'split.txt'
    command = [sys.executable, ROOT / 'tools/make_edge_maps.py', *arguments]
    command = [str(part) for part in command]
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    folder = tmp_path / 'edges'
    # A job in the background of a shell ignores Ctrl-C, and so would this.
    process = subprocess.Popen(
        command,
        env=env,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and len(list(folder.glob('*.png'))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate()
    assert process.returncode == 130 and b'interrupted' in printed
    made = list(folder.glob('*.png'))
    assert 0 < len(made) < 20
    assert all(cv2.imread(str(p), -1).shape == (64, 64) for p in made)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0
    # The last map may have been written without its record.
    assert any(
        f'20 images -> {folder}; {kept} images' in done.stdout
        for kept in (len(made) - 1, len(made))
    )
