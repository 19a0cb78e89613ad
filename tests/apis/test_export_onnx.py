import contextlib

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from mmengine.config import Config
from mmseg.apis import inference_model, init_model
from mmseg.registry import MODELS

from box2seg_mmseg.apis import export_onnx as module
from box2seg_mmseg.apis.export_onnx import export_onnx, require_onnx

NORM = dict(type='BN', requires_grad=True)
# Backbones of a few channels, and the channels of their stages.
RESNET = dict(
    type='ResNet', depth=18, stem_channels=8, base_channels=8, norm_cfg=NORM
)
BACKBONES = dict(
    ResNet=(RESNET, [8, 16, 32, 64]),
    MixVisionTransformer=(
        dict(
            type='MixVisionTransformer',
            embed_dims=8,
            num_stages=2,
            num_layers=[1, 1],
            num_heads=[1, 2],
            patch_sizes=[7, 3],
            strides=[4, 2],
            sr_ratios=[8, 4],
            out_indices=(0, 1),
        ),
        [8, 16],
    ),
)
SIZES = [(96, 128), (224, 160), (131, 203), (203, 97), (40, 300)]


def _write_model(folder, head='FCNHead', backbone='ResNet', **changes):
    """A config and a checkpoint of random weights."""
    backbone, channels = BACKBONES[backbone]
    options = dict(in_channels=channels[-1], in_index=3)
    if head == 'SegformerHead':
        options = dict(in_channels=channels, in_index=[0, 1])
    elif head == 'DepthwiseSeparableASPPHead':
        options |= dict(c1_in_channels=channels[0], c1_channels=4)
    cfg = Config(
        dict(
            default_scope='mmseg',
            model=dict(
                type='EncoderDecoder',
                data_preprocessor=dict(
                    type='SegDataPreProcessor',
                    mean=[123.675, 116.28, 103.53],
                    std=[58.395, 57.12, 57.375],
                    bgr_to_rgb=True,
                    size=(96, 96),
                ),
                backbone=backbone,
                decode_head=dict(
                    type=head,
                    channels=8,
                    num_classes=5,
                    norm_cfg=NORM,
                    align_corners=False,
                    **options,
                ),
                train_cfg=dict(),
                test_cfg=dict(mode='whole'),
            ),
            test_dataloader=dict(
                dataset=dict(
                    type='BaseSegDataset',
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='PackSegInputs'),
                    ],
                )
            ),
        )
    )
    cfg.merge_from_dict(changes)
    cfg.test_pipeline = cfg.test_dataloader.dataset.pipeline
    torch.manual_seed(0)
    segmentor = MODELS.build(cfg.model)
    for name, value in segmentor.state_dict().items():
        if name.endswith('running_mean'):
            value.normal_(0, 0.1)
        elif name.endswith('running_var'):
            value.uniform_(0.5, 1.5)
        elif name.endswith('conv_seg.weight'):
            value.normal_()
    meta = dict(dataset_meta=dict(classes=list('abcde')))
    torch.save(
        dict(state_dict=segmentor.state_dict(), meta=meta),
        folder / 'segmentor.pth',
    )
    cfg.dump(folder / 'segmentor.py')
    return folder / 'segmentor.py', folder / 'segmentor.pth'


@pytest.mark.slow
@pytest.mark.parametrize(
    ('head', 'backbone', 'changes'),
    [
        # The network takes BGR, with other statistics for each channel.
        (
            'PSPHead',
            'ResNet',
            {
                'model.data_preprocessor.bgr_to_rgb': False,
                'model.decode_head.align_corners': True,
            },
        ),
        ('FCNHead', 'ResNet', {}),
        ('SegformerHead', 'MixVisionTransformer', {}),
        ('DepthwiseSeparableASPPHead', 'ResNet', {}),
    ],
)
def test_logits_are_those_of_mmsegs_api(tmp_path, head, backbone, changes):
    """On photographs of several sizes, alone and in a batch.

    tests/integration/test_export.py has UPerHead.
    """
    onnxruntime = pytest.importorskip(
        'onnxruntime', reason="needs the extra 'onnx'"
    )
    config, checkpoint = _write_model(tmp_path, head, backbone, **changes)
    path = tmp_path / 'new/segmentor.onnx'
    assert 0 < export_onnx(config, checkpoint, path) <= 1e-4
    assert list(path.parent.iterdir()) == [path]
    session = onnxruntime.InferenceSession(path)
    stock = init_model(str(config), str(checkpoint), device='cpu')
    # In float64, so that only the file's rounding counts.
    stock.double().backbone.register_forward_pre_hook(
        lambda _, inputs: (inputs[0].double(),)
    )
    photographs = [skimage.data.chelsea(), skimage.data.coffee()]
    for height, width in SIZES:
        batch = [cv2.resize(p, (width, height)) for p in photographs]
        (got,) = session.run(None, dict(image=np.stack(batch)))
        (alone,) = session.run(None, dict(image=batch[0][None]))
        for logits, image in zip(
            [*got, *alone], [*batch, batch[0]], strict=True
        ):
            sample = inference_model(stock, image[..., ::-1].copy())
            want = sample.seg_logits.data.numpy()
            assert logits.shape == (5, height, width)
            assert np.ptp(want) > 0.5
            np.testing.assert_allclose(logits, want, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_file_that_is_wrong_is_not_kept(tmp_path, monkeypatch):
    """With the exporter's own pooling, whose bins do not follow the size."""
    pytest.importorskip('onnxruntime', reason="needs the extra 'onnx'")
    monkeypatch.setattr(module, 'ExportablePooling', contextlib.nullcontext)
    config, checkpoint = _write_model(tmp_path, 'PSPHead')
    path = tmp_path / 'new/segmentor.onnx'
    with pytest.raises(
        ValueError, match=r'segmentor\.py: .*cannot be exported'
    ):
        export_onnx(config, checkpoint, path)
    assert not any(path.parent.iterdir())


def test_other_logits_are_an_error(tmp_path, monkeypatch):
    """Those of a runtime that is off by a little, or that gives no number."""
    onnxruntime = pytest.importorskip(
        'onnxruntime', reason="needs the extra 'onnx'"
    )

    class Session:
        def __init__(self, *args, **kwargs):
            pass

        def run(self, _, inputs):
            return [logits(torch.from_numpy(inputs['image'])).numpy() + error]

    def logits(image):
        return 3 * image.permute(0, 3, 1, 2) / 255

    monkeypatch.setattr(onnxruntime, 'InferenceSession', Session)
    error = 9e-5
    assert 8e-5 < module._difference(tmp_path, logits, 'a.py') < 1e-4
    for wrong in (1.1e-4, float('nan')):
        error = wrong
        with pytest.raises(ValueError, match=r'a\.py: .* torch differ'):
            module._difference(tmp_path, logits, 'a.py')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {
                'model.test_cfg': dict(
                    mode='slide', crop_size=(64, 64), stride=(32, 32)
                )
            },
            r"test_cfg\.mode is 'slide'",
        ),
        (
            {'model.data_preprocessor.test_cfg': dict(size_divisor=32)},
            r'data_preprocessor\.test_cfg pads',
        ),
        ({'model.decode_head.out_channels': 1}, 'out_channels=1 is not'),
    ],
)
def test_what_the_graph_would_do_otherwise_is_refused(
    tmp_path, changes, message
):
    pytest.importorskip('onnxruntime', reason="needs the extra 'onnx'")
    if 'model.decode_head.out_channels' in changes:
        changes |= {
            'model.decode_head.num_classes': 2,
            'model.decode_head.threshold': 0.5,
            'model.decode_head.loss_decode': dict(
                type='CrossEntropyLoss', use_sigmoid=True
            ),
        }
    config, checkpoint = _write_model(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        export_onnx(config, checkpoint, tmp_path / 'segmentor.onnx')


@pytest.mark.parametrize(
    ('steps', 'want'),
    [
        ([], dict(test_scale=None, keep_ratio=None)),
        (
            [dict(type='Resize', scale=(64, 32))],
            dict(test_scale=(64, 32), keep_ratio=False),
        ),
        (
            [dict(type='Resize', scale=(64, 32), keep_ratio=True)],
            dict(test_scale=(64, 32), keep_ratio=True),
        ),
        ([dict(type='Resize', scale_factor=0.5)], None),
        ([dict(type='Resize', scale=(64, 32), backend='pillow')], None),
        ([dict(type='ResizeToMultiple', size_divisor=32)], None),
        ([dict(type='Resize', scale=(64, 32)), dict(type='CLAHE')], None),
    ],
)
def test_only_one_resize_can_be_described(steps, want):
    kinds = [step['type'] for step in steps]
    load, pack = dict(type='LoadImageFromFile'), dict(type='PackSegInputs')
    pipeline = [load, *steps, dict(type='LoadAnnotations'), pack]
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=pipeline))))
    if want is None:
        with pytest.raises(ValueError, match=rf'Got: .*{kinds[-1]}'):
            module._resizing(cfg, 'a.py')
    else:
        assert module._resizing(cfg, 'a.py') == want


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(module, 'find_spec', {'onnx': 1}.get)
    with pytest.raises(
        ImportError,
        match=r"needs onnxruntime, onnxscript; pip install '.*\[onnx\]'",
    ):
        require_onnx()


def test_an_old_torch_is_named(monkeypatch):
    monkeypatch.setattr(module, 'find_spec', lambda name: True)
    monkeypatch.setattr(torch, '__version__', '2.1.0+cpu')
    with pytest.raises(ImportError, match=r'torch \d.* Got: torch 2\.1\.0'):
        require_onnx()
