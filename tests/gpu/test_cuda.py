"""The head and its losses on a GPU, against the same on the CPU."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from model_cost import Measurement, count_waits

from box2seg_mmseg.structures import BoxRegions

pytestmark = pytest.mark.gpu
CLASSES, SIDE = 5, 64
DECODER = dict(
    type='UPerHead',
    in_channels=[16, 32, 64, 128],
    in_index=[0, 1, 2, 3],
    pool_scales=(1, 2),
    channels=32,
    dropout_ratio=0.0,
    num_classes=CLASSES,
    norm_cfg=dict(type='BN'),
)
LOSSES = ('GrabCutLoss', 'AttentionWeightedLoss', 'AffinityLoss')


def model(share=False, norm='BN', losses=LOSSES):
    norm = dict(type=norm)
    return ConfigDict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor', size=(SIDE, SIDE), seg_pad_val=255
        ),
        backbone=dict(
            type='ResNetV1c',
            depth=18,
            stem_channels=16,
            base_channels=16,
            norm_cfg=norm,
        ),
        decode_head=dict(
            type='Box2SegHead',
            decoder=DECODER | dict(norm_cfg=norm),
            losses=[dict(type=name) for name in losses],
            share_decoder=share,
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )


def build(*args, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(model(*args, **kwargs)).train()


def samples():
    """Overlapping boxes, ignored pixels, a smaller map, no box at all."""
    label = torch.zeros(3, SIDE, SIDE, dtype=torch.long)
    label[0, 10:40, 10:40] = 2
    label[0, :5] = 255
    label[1, 20:50, 8:30] = 4
    label[1, :, 48:] = 255
    boxes = (
        ([(8, 8, 44, 44), (30, 2, 60, 50), (1, 50, 9, 60)], [2, 4, 2], SIDE),
        ([(4, 16, 40, 60)], [4], 48),
        (np.zeros((0, 4)), [], SIDE),
    )
    result = []
    for one, (xyxy, classes, width) in zip(label, boxes, strict=True):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=one[None])
        regions = BoxRegions.from_boxes(
            np.array(xyxy), np.array(classes, int), (SIDE, width)
        )
        sample.set_data(dict(gt_box_regions=regions))
        result.append(sample)
    return result


def outputs(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    shapes = dict(y=CLASSES, attention=CLASSES - 1, embedding=64)
    return {
        name: torch.randn(3, d, SIDE // 4, SIDE // 4, generator=generator).to(
            dtype
        )
        for name, d in shapes.items()
    }


def losses_and_gradients(head, device, dtype, autocast):
    maps = {
        name: value.to(device).requires_grad_()
        for name, value in outputs(dtype).items()
    }
    head = copy.deepcopy(head).to(device)
    data = [sample.to(device) for sample in samples()]
    enabled = autocast is not None
    with torch.autocast(device, dtype=autocast or dtype, enabled=enabled):
        branches = dict(maps)
        got = head.loss_by_feat((branches.pop('y'), branches), data)
    total = sum(value for name, value in got.items() if 'loss' in name)
    total.backward()
    values = {name: value.detach().cpu() for name, value in got.items()}
    # A single loss does not use all outputs.
    used = {name: one for name, one in maps.items() if one.grad is not None}
    return values, {name: one.grad.cpu() for name, one in used.items()}


@pytest.mark.parametrize(
    ('dtype', 'autocast'),
    [
        (torch.float32, None),
        (torch.float16, torch.float16),
        (torch.bfloat16, torch.bfloat16),
        (torch.float32, torch.float16),
    ],
    ids=['float32', 'float16', 'bfloat16', 'float32 under autocast'],
)
@pytest.mark.parametrize('name', LOSSES)
def test_losses_and_gradients_equal_the_cpus(name, dtype, autocast):
    """Losses are taken in float32, whatever the outputs are."""
    torch.backends.cuda.matmul.allow_tf32 = False
    head = build().decode_head
    head.losses = head.losses[LOSSES.index(name) :][:1]
    # Under autocast the CPU gets the same rounded outputs, without autocast.
    want, want_gradients = losses_and_gradients(head, 'cpu', dtype, None)
    got, gradients = losses_and_gradients(head, 'cuda', dtype, autocast)
    assert set(got) == set(want)
    for key, value in want.items():
        assert got[key].dtype == torch.float32
        torch.testing.assert_close(got[key], value, rtol=1e-4, atol=1e-5)
    digits = {torch.float32: 1e-4, torch.float16: 2e-3, torch.bfloat16: 2e-2}
    assert set(gradients) == set(want_gradients) != set()
    for key, value in want_gradients.items():
        scale = max(value.abs().max().item(), 1e-6)
        torch.testing.assert_close(
            gradients[key] / scale,
            value / scale,
            rtol=0,
            atol=digits[dtype],
        )


def train(network, dtype, scaler, steps=3):
    network = network.cuda()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(3, 3, SIDE, SIDE, generator=generator).cuda()
    data = [sample.to('cuda') for sample in samples()]
    scaler = torch.amp.GradScaler('cuda', init_scale=256.0, enabled=scaler)
    totals = []
    for _ in range(steps):
        with torch.autocast('cuda', dtype, enabled=dtype != torch.float32):
            values = network.loss(images, data)
        total, _ = network.parse_losses(values)
        scaler.scale(total).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        totals.append(total.item())
    return totals, scaler


@pytest.mark.parametrize('share', [False, True])
def test_mixed_precision_trains_as_float32_does(share):
    want, _ = train(build(share), torch.float32, scaler=False)
    half, scaler = train(build(share), torch.float16, scaler=True)
    bfloat, _ = train(build(share), torch.bfloat16, scaler=False)
    assert half == pytest.approx(want, rel=0.05)
    assert bfloat == pytest.approx(want, rel=0.1)
    assert scaler.get_scale() == 256  # no step was left out


def test_sync_batch_norm_trains():
    plain, _ = train(build(), torch.float32, scaler=False)
    synchronised, _ = train(build(norm='SyncBN'), torch.float32, scaler=False)
    assert synchronised == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize('share', [False, True])
def test_our_code_waits_for_the_gpu_at_most_three_times(share):
    box2seg = model(share)
    stock = copy.deepcopy(box2seg)
    stock.decode_head = ConfigDict(DECODER)
    measurement = Measurement('cuda', size=(SIDE, SIDE), rounds=1)
    costs = measurement.measure(dict(stock=stock, box2seg=box2seg))
    assert costs['box2seg'].waits - costs['stock'].waits <= 3
    assert 0 < costs['stock'].peak < costs['box2seg'].peak
    # The counter counts.
    value = torch.ones(1, device='cuda')
    assert count_waits(lambda: [value.item(), value.item()]) == 2


def test_a_prediction_equals_the_cpus():
    network = build().eval()
    images = torch.randn(2, 3, SIDE, SIDE)
    want = network.predict(images)
    got = network.cuda().predict(images.cuda())
    for one, other in zip(want, got, strict=True):
        torch.testing.assert_close(
            one.seg_logits.data,
            other.seg_logits.data.cpu(),
            rtol=1e-3,
            atol=1e-3,
        )
