from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.apis import inference_model
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.models.post_processing import DenseCRF

pytest.importorskip('pydensecrf', reason="needs the extra 'crf'")
CRF = dict(iterations=3, min_prob=0.0, bi_w=10.0, bi_rgb=60.0)


def _segmentor(type_='CRFEncoderDecoder', crf=CRF, mode='whole', **head):
    """A head of 8 channels on a stem: its predictions are noise."""
    head = dict(
        dict(
            type='FCNHead',
            in_channels=8,
            in_index=0,
            channels=8,
            num_classes=4,
            num_convs=0,
            concat_input=False,
            norm_cfg=None,
        ),
        **head,
    )
    second = dict(
        type='OCRHead',
        in_channels=8,
        in_index=0,
        channels=8,
        ocr_channels=4,
        num_classes=4,
        norm_cfg=dict(type='BN'),
    )
    test_cfg = dict(mode=mode)
    if mode == 'slide':
        test_cfg.update(crop_size=(24, 24), stride=(16, 16))
    if crf is not None:
        test_cfg['crf'] = crf
    cascade = type_ == 'CRFCascadeEncoderDecoder'
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type=type_,
            **(dict(num_stages=2) if cascade else {}),
            data_preprocessor=dict(
                type='SegDataPreProcessor',
                mean=[120.0, 110.0, 100.0],
                std=[60.0, 50.0, 40.0],
                bgr_to_rgb=True,
                size_divisor=32,
            ),
            backbone=dict(
                type='MobileNetV2',
                widen_factor=0.25,
                strides=(1,) * 7,
                out_indices=(0, 1),
                norm_cfg=dict(type='BN'),
            ),
            decode_head=[head, second] if cascade else head,
            test_cfg=ConfigDict(test_cfg),
        )
    )
    # Noise, but not flat.
    heads = model.decode_head if cascade else [model.decode_head]
    torch.nn.init.normal_(heads[-1].conv_seg.weight, std=0.5)
    return model.eval().requires_grad_(False)


@pytest.fixture
def photograph(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (30, 41, 3), np.uint8)
    image[5:20, 8:30] = (30, 90, 160)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    return str(tmp_path / 'a.png'), image


def _batch(path, image, flip=False):
    sample = SegDataSample(
        metainfo=dict(
            img_path=path,
            ori_shape=image.shape[:2],
            img_shape=image.shape[:2],
            flip=flip,
            flip_direction='horizontal' if flip else None,
        )
    )
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, *image.shape[:2]).long())
    inputs = image[:, ::-1] if flip else image
    inputs = torch.from_numpy(inputs.transpose(2, 0, 1).copy())
    return dict(inputs=[inputs], data_samples=[sample])


def _expected(sample, image, sigmoid=False):
    logits = sample.seg_logits.data
    probs = torch.cat([1 - logits, logits]) if sigmoid else logits.softmax(0)
    return DenseCRF(**CRF)(image, probs.numpy())


@pytest.mark.parametrize('mode', ['whole', 'slide'])
@pytest.mark.parametrize(
    'type_', ['CRFEncoderDecoder', 'CRFCascadeEncoderDecoder']
)
@pytest.mark.parametrize('flip', [False, True])
def test_predictions_are_refined_on_the_photograph(
    photograph, type_, mode, flip
):
    path, image = photograph
    (got,) = _segmentor(type_, mode=mode).test_step(_batch(path, image, flip))
    (stock,) = _segmentor(type_, None, mode).test_step(
        _batch(path, image, flip)
    )
    assert torch.equal(got.seg_logits.data, stock.seg_logits.data)
    want = _expected(stock, image)
    assert got.pred_sem_seg.data.shape == stock.pred_sem_seg.data.shape
    assert np.array_equal(got.pred_sem_seg.data[0].numpy(), want)
    assert not torch.equal(got.pred_sem_seg.data, stock.pred_sem_seg.data)


@pytest.mark.parametrize('flip', [False, True])
def test_a_photograph_without_a_file_is_taken_from_the_input(photograph, flip):
    path, image = photograph
    model = _segmentor()
    (from_file,) = model.test_step(_batch(path, image, flip))
    (from_input,) = model.test_step(_batch(None, image, flip))
    assert torch.equal(
        from_file.pred_sem_seg.data, from_input.pred_sem_seg.data
    )


def test_a_binary_head_has_two_classes(photograph):
    path, image = photograph
    model = _segmentor(num_classes=2, out_channels=1, threshold=0.5)
    (got,) = model.test_step(_batch(path, image))
    want = _expected(got, image, sigmoid=True)
    assert np.array_equal(got.pred_sem_seg.data[0].numpy(), want)


def test_workers_give_the_same(photograph):
    """For a batch of three, from which two processes take one each."""
    path, image = photograph
    single = [_batch(path, image, flip) for flip in (False, True, False)]
    batch = {
        key: [value for one in single for value in one[key]]
        for key in single[0]
    }
    results = [
        _segmentor(crf=dict(CRF, workers=workers)).test_step(deepcopy(batch))
        for workers in (0, 2)
    ]
    for want, got in zip(*results, strict=True):
        assert torch.equal(got.pred_sem_seg.data, want.pred_sem_seg.data)
        assert not torch.equal(
            got.pred_sem_seg.data[0], got.seg_logits.data.argmax(0)
        )


def test_augmentations_are_refined_once_after_the_merge(photograph):
    path, image = photograph

    def batch():
        both = [_batch(path, image), _batch(path, image, flip=True)]
        return {key: [b[key] for b in both] for key in both[0]}

    stock = SegTTAModel(_segmentor(crf=None))
    probs = []
    for i in range(2):
        data = {key: values[i] for key, values in batch().items()}
        (sample,) = stock.module.test_step(data)
        probs.append(sample.seg_logits.data.softmax(0))
    want = DenseCRF(**CRF)(image, (sum(probs) / 2).numpy())

    tta = MODELS.build(dict(type='CRFSegTTAModel', module=_segmentor()))
    assert tta.module.crf is None
    (got,) = tta.test_step(batch())
    assert np.array_equal(got.pred_sem_seg.data[0].numpy(), want)
    assert 'gt_sem_seg' in got and got.img_path == path

    off = MODELS.build(
        dict(type='CRFSegTTAModel', module=_segmentor(crf=None))
    )
    (got,), (want,) = off.test_step(batch()), stock.test_step(batch())
    assert torch.equal(got.pred_sem_seg.data, want.pred_sem_seg.data)
    with pytest.raises(TypeError, match=r'CRFEncoderDecoder.*Got: Encoder'):
        MODELS.build(
            dict(
                type='CRFSegTTAModel',
                module=_segmentor('EncoderDecoder', None),
            )
        )


def test_it_runs_in_the_inference_api(photograph):
    path, image = photograph
    model = _segmentor()
    model.cfg = ConfigDict(
        test_pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ]
    )
    for given in (path, Path(path), image):
        result = inference_model(model, given)
        want = _expected(result, image)
        assert np.array_equal(result.pred_sem_seg.data[0].numpy(), want)
