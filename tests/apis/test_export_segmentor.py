import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.apis.export_segmentor import export_segmentor

ROOT = Path(__file__).resolve().parents[2]
(SCENES,) = ROOT.glob('configs/scenes/box2seg_*.py')
(MINIATURE,) = ROOT.glob('configs/miniature/box2seg_upernet*.py')


def _checkpoint(config, path, meta=None, **changes):
    cfg = Config.fromfile(config)
    cfg.model.init_cfg = cfg.model.backbone.init_cfg = None
    weights = MODELS.build(cfg.model).state_dict() | changes
    weights = {k: v for k, v in weights.items() if v is not None}
    torch.save(dict(state_dict=weights, meta=meta or {}), path)
    return path


def test_a_plain_model_loads_without_the_plugin(tmp_path):
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth')
    config, weights, foreign = export_segmentor(
        SCENES, checkpoint, tmp_path / 'out'
    )
    assert foreign == []
    script = (
        'import sys; sys.modules["box2seg_mmseg"] = None\n'
        'from mmseg.apis import init_model\n'
        'model = init_model(*sys.argv[1:], device="cpu")\n'
        'print(len(model.state_dict()), *model.dataset_meta["classes"])'
    )
    done = subprocess.run(
        [sys.executable, '-c', script, str(config), str(weights)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'unexpected key' not in done.stdout + done.stderr
    number, *classes = done.stdout.splitlines()[-1].split()
    assert classes == ['background', *SCENE_CLASSES]
    loaded = torch.load(weights, weights_only=True)['state_dict']
    assert len(loaded) == int(number)
    original = torch.load(checkpoint)['state_dict']
    for name, value in loaded.items():
        ours = name.replace('decode_head.', 'decode_head.seg_decoder.')
        assert torch.equal(original[ours], value)


def test_a_model_with_our_parts_is_refused_unless_allowed(tmp_path):
    checkpoint = _checkpoint(MINIATURE, tmp_path / 'iter_1.pth')
    out = tmp_path / 'out'
    with pytest.raises(
        ValueError, match=r'EfficientNetLite is not part.*--allow-plugin'
    ):
        export_segmentor(MINIATURE, checkpoint, out)
    assert not out.exists()
    config, _, foreign = export_segmentor(MINIATURE, checkpoint, out, True)
    assert foreign == ['EfficientNetLite']
    got = Config.fromfile(config)
    assert got.custom_imports.imports == ['box2seg_mmseg']
    assert got.test_evaluator.type == got.val_evaluator.type == 'IoUMetric'
    assert got.model.decode_head.type == 'UPerHead'
    # The weights from which the training started are not part of it.
    assert got.model.get('init_cfg') is None


def test_the_crf_and_our_hooks_stay_behind(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{SCENES}'\n"
        "model = dict(type='CRFEncoderDecoder',\n"
        '    test_cfg=dict(crf=dict(pos_w=1.0)))\n'
        "tta_model = dict(type='CRFSegTTAModel')\n"
        'default_hooks = dict(\n'
        "    visualization=dict(type='Box2SegVisualizationHook'))\n"
    )
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth')
    exported, _, foreign = export_segmentor(
        config, checkpoint, tmp_path / 'out'
    )
    text = exported.read_text()
    assert foreign == [] and 'CRF' not in text and 'crf' not in text
    assert 'Check' not in text.replace('CheckpointHook', '')
    hooks = Config.fromfile(exported).default_hooks
    assert 'visualization' not in hooks and 'checkpoint' in hooks


@pytest.mark.parametrize('is_absent', [False, True])
def test_a_config_without_test_settings_validates(tmp_path, is_absent):
    cfg = Config.fromfile(SCENES)
    cfg.val_evaluator = dict(type='IoUMetric')
    cfg.test_evaluator = None
    if is_absent:
        cfg.pop('test_evaluator')
    config = tmp_path / 'config.py'
    config.write_text(cfg.pretty_text)
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth')
    exported, _, _ = export_segmentor(config, checkpoint, tmp_path / 'out')
    got = Config.fromfile(exported)
    assert got.val_evaluator == dict(type='IoUMetric')


@pytest.mark.parametrize(
    ('imports', 'kind'),
    [
        ('', "'mmseg.Box2SegHead'"),
        ('from box2seg_mmseg.models import Box2SegHead\n', 'Box2SegHead'),
    ],
)
def test_a_type_may_have_a_scope_or_be_a_class(tmp_path, imports, kind):
    text = Config.fromfile(SCENES).pretty_text
    assert text.count("'Box2SegHead'") == 1
    config = tmp_path / 'config.py'
    config.write_text(imports + text.replace("'Box2SegHead'", kind))
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth')
    exported, _, foreign = export_segmentor(
        config, checkpoint, tmp_path / 'out'
    )
    assert foreign == []
    assert Config.fromfile(exported).model.decode_head.type == 'UPerHead'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'decode_head.seg_decoder.conv_seg.bias': None},
            r'it has no decode_head\.seg_decoder\.conv_seg\.bias$',
        ),
        (
            {'decode_head.seg_decoder.conv_seg.bias': torch.zeros(9)},
            r'size mismatch for decode_head\.seg_decoder\.conv_seg\.bias',
        ),
        ({'neck.weight': torch.zeros(9)}, r'the model has no neck\.weight$'),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(tmp_path, changes, message):
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth', **changes)
    with pytest.raises(ValueError, match=message) as caught:
        export_segmentor(SCENES, checkpoint, tmp_path / 'out')
    assert str(checkpoint) in str(caught.value)
    assert not (tmp_path / 'out').exists()


def test_a_checkpoint_of_other_classes_is_refused(tmp_path):
    names = ['background', 'ring', 'disk', *SCENE_CLASSES[2:]]
    meta = dict(dataset_meta=dict(classes=names))
    checkpoint = _checkpoint(SCENES, tmp_path / 'iter_1.pth', meta)
    with pytest.raises(ValueError, match="'ring' in the checkpoint, 'disk'"):
        export_segmentor(SCENES, checkpoint, tmp_path / 'out')


def test_only_a_box2seg_model_is_exported(tmp_path):
    (config,) = ROOT.glob('configs/scenes/grabcut_*.py')
    with pytest.raises(ValueError, match='must be a Box2SegHead'):
        export_segmentor(config, tmp_path / 'absent.pth', tmp_path)


def test_the_classes_are_those_of_the_weights(tmp_path):
    """The test data of this config has other classes than the model."""
    config = tmp_path / 'config.py'
    config.write_text(
        f"_base_ = '{SCENES}'\n"
        "names = dict(classes=('background', 'a', 'b', 'c', 'd', 'e'))\n"
        'train_dataloader = dict(dataset=dict(metainfo=names))\n'
        'test_dataloader = dict(dataset=dict(\n'
        "    metainfo=dict(classes=('background', 'object'))))\n"
    )
    classes = ('background', *'abcde')
    meta = dict(dataset_meta=dict(classes=classes))
    checkpoint = _checkpoint(config, tmp_path / 'iter_1.pth', meta)
    _, weights, _ = export_segmentor(config, checkpoint, tmp_path / 'out')
    loaded = torch.load(weights, weights_only=True)
    assert tuple(loaded['meta']['dataset_meta']['classes']) == classes
