"""A trained model without the plugin: in plain mmseg, and in onnxruntime."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

onnxruntime = pytest.importorskip(
    'onnxruntime', reason="needs the extra 'onnx'"
)
ROOT = Path(__file__).resolve().parents[2]
(SCENES,) = ROOT.glob('configs/scenes/box2seg_*.py')
# A process that cannot import the modules named in its first argument.
WITHOUT = (
    'import runpy, sys\n'
    'for name in sys.argv[1].split(","): sys.modules[name] = None\n'
    'sys.argv = sys.argv[2:]\n'
    'runpy.run_path(sys.argv[0], run_name="__main__")\n'
)


def _run_without(modules, folder, *command):
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT, modules, *map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def project(stock, scenes, photographs, tmp_path_factory):
    """A model trained on scenes, that predicts photographs at 192 px."""
    root = tmp_path_factory.mktemp('project')
    ids = (scenes / 'ImageSets/Segmentation/train.txt').read_text().split()
    generate_pseudo_labels(
        VOCXML(scenes, SCENE_CLASSES).read(ids),
        build_labeler(dict(type='BoxFill')),
        root / 'labels',
    )
    config = root / 'mine.py'
    config.write_text(
        f"_base_ = '{SCENES}'\n"
        'train_dataloader = dict(\n'
        f"    dataset=dict(data_root='{scenes}',\n"
        f"        pseudo_label_dir='{root}/labels'))\n"
        'test_pipeline = [\n'
        "    dict(type='LoadImageFromFile'),\n"
        "    dict(type='Resize', scale=(512, 192), keep_ratio=True),\n"
        "    dict(type='PackSegInputs'),\n"
        ']\n'
        'test_dataloader = dict(dataset=dict(pipeline=test_pipeline))\n'
        'val_cfg = val_dataloader = val_evaluator = None\n'
    )
    stock('train', config, '--work-dir', root, **{
        'train_cfg.max_iters': 12,
        'default_hooks.checkpoint.interval': 12,
        'randomness.seed': 0,
    })  # fmt: skip
    (root / 'images').mkdir()
    for name in ('astronaut', 'rocket'):
        shutil.copy(photographs / f'JPEGImages/{name}.jpg', root / 'images')
    return root


@pytest.fixture(scope='module')
def masks(project, run_tool):
    """What ``box2seg predict`` says of two photographs."""
    done = run_tool(
        *('predict.py', project / 'mine.py', project / 'iter_12.pth'),
        *(project / 'images', '--out', project / 'predictions'),
    )
    assert done.returncode == 0, done.stderr
    folder = project / 'predictions/masks'
    result = {p.stem: np.array(Image.open(p)) for p in folder.iterdir()}
    assert len(result) == 2
    for mask in result.values():
        assert len(np.unique(mask)) > 1
    return result


@pytest.fixture(scope='module')
def exported(project, run_tool):
    """All three files of the trained model."""
    done = run_tool(
        *('export_segmentor.py', project / 'mine.py'),
        *(project / 'iter_12.pth', project / 'exported', '--onnx'),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(project / f'exported/segmentor.{suffix}')
        for suffix in ('py', 'pth', 'onnx')
    ]
    assert 'onnxruntime and torch differ by at most' in done.stderr
    return project / 'exported'


def test_plain_mmseg_predicts_the_same(project, exported, masks):
    script = project / 'stock.py'
    script.write_text(
        'import sys\n'
        'import numpy as np\n'
        'from mmseg.apis import inference_model, init_model\n'
        "model = init_model(*sys.argv[1:3], device='cpu')\n"
        'for path in sys.argv[3:]:\n'
        '    sample = inference_model(model, path)\n'
        "    np.save(path + '.npy', sample.pred_sem_seg.data[0].numpy())\n"
    )
    images = [project / f'images/{name}.jpg' for name in masks]
    _run_without(
        *('box2seg_mmseg', project, script),
        *(exported / 'segmentor.py', exported / 'segmentor.pth', *images),
    )
    for name, mask in masks.items():
        np.testing.assert_array_equal(
            np.load(project / f'images/{name}.jpg.npy'), mask
        )


def test_the_example_predicts_the_same(project, exported, masks):
    """The one of docs/export.md, without torch, mmseg and this package."""
    page = (ROOT / 'docs/export.md').read_text()
    (example,) = re.findall(
        r'```python title="predict_onnx.py"\n(.*?)```', page, re.DOTALL
    )
    assert len(example.splitlines()) <= 15
    (project / 'predict_onnx.py').write_text(example)
    for name, mask in masks.items():
        shutil.copy(project / f'images/{name}.jpg', project / 'photo.jpg')
        _run_without(
            *('torch,mmseg,mmcv,mmengine,box2seg_mmseg', project),
            'predict_onnx.py',
        )
        got = np.array(Image.open(project / 'labels.png'))
        assert got.shape == mask.shape
        assert (got == mask).mean() >= 0.999


def test_the_metadata_tell_what_the_classes_are(exported):
    session = onnxruntime.InferenceSession(exported / 'segmentor.onnx')
    meta = {
        key: json.loads(value)
        for key, value in session.get_modelmeta().custom_metadata_map.items()
    }
    assert meta == dict(
        classes=['background', *SCENE_CLASSES],
        palette=[
            [0, 0, 0],
            [128, 0, 0],
            [0, 128, 0],
            [128, 128, 0],
            [0, 0, 128],
            [128, 0, 128],
        ],
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        test_scale=[512, 192],
        keep_ratio=True,
    )
