"""The pixels that no loss takes for background, against a slow search."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from box2seg_mmseg.models.decode_heads.suspicious_pixels import (
    SuspiciousPixels,
)
from box2seg_mmseg.structures import BoxRegions, TrainingStep

H, W = 12, 20


def _step(boxes, foreground, iteration=None):
    """One image of one class; ``foreground`` is its probability."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    regions = BoxRegions.from_boxes(boxes, np.ones(len(boxes), int), (H, W))
    probs = torch.as_tensor(foreground, dtype=torch.float32)[None]
    logits = torch.stack([1 - probs, probs], 1).log()
    label = torch.zeros(1, H, W, dtype=torch.long)
    label[regions.map[None] > 0] = 1
    label[0, 0, :2] = 255
    sample = SimpleNamespace(
        gt_sem_seg=SimpleNamespace(data=label), gt_box_regions=regions
    )

    class Sample(SimpleNamespace):
        def __contains__(self, name):
            return hasattr(self, name)

    return TrainingStep(
        logits,
        {},
        [Sample(**vars(sample))],
        iteration,
        suspects=SuspiciousPixels(0.4, 0.15, warmup_iters=5),
    )


def _far(y, x, boxes, radius):
    """Whether all pixels of a square around a pixel are outside the boxes."""
    return not any(
        x1 - radius <= x < x2 + radius and y1 - radius <= y < y2 + radius
        for x1, y1, x2, y2 in boxes
    )


boxes = st.lists(
    st.tuples(
        st.integers(0, W - 3),
        st.integers(0, H - 3),
        st.integers(1, 8),
        st.integers(1, 8),
    ).map(lambda b: (b[0], b[1], min(b[0] + b[2], W), min(b[1] + b[3], H))),
    max_size=3,
)


@given(boxes, st.integers(0, 2**31))
def test_far_pixels_that_look_like_an_object_are_ignored(boxes, seed):
    probs = np.random.default_rng(seed).uniform(0.01, 0.99, (H, W))
    step = _step(boxes, probs)
    got = step.pseudo_label[0]
    for y in range(H):
        for x in range(W):
            want = step.packed_label[0, y, x]
            # 0.15 of 20 px
            if probs[y, x] > 0.4 and _far(y, x, boxes, 3):
                want = 255
            assert got[y, x] == want
    # No loss sees them.
    assert not (step.boxes.outside & (got == 255)).any()
    assert step.num_valid == max((got != 255).sum(), 1)


def test_the_gradient_stays_whatever_is_read_first():
    step = _step([(2, 2, 9, 9)], np.full((H, W), 0.3))
    step = replace(step, seg_logits=step.seg_logits.requires_grad_())
    assert not step.pseudo_label.requires_grad
    assert step.log_probs.requires_grad


def test_nothing_is_ignored_during_the_warmup():
    everywhere = np.full((H, W), 0.9)
    for iteration, is_ignored in ((0, False), (4, False), (5, True)):
        step = _step([], everywhere, iteration)
        assert (step.pseudo_label == 255).all() == is_ignored


@pytest.mark.parametrize('wrong', [dict(threshold=1.5), dict(halo=-0.1)])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match=r'must be in \[0, 1\]\. Got: '):
        SuspiciousPixels(**wrong)


def test_an_auxiliary_head_ignores_them_too():
    torch.manual_seed(0)
    decoder = dict(
        type='FCNHead',
        in_channels=4,
        in_index=0,
        channels=4,
        num_convs=1,
        num_classes=2,
        norm_cfg=dict(type='BN'),
    )
    head = MODELS.build(
        dict(
            type='Box2SegHead',
            decoder=decoder,
            losses=[dict(type='GrabCutLoss')],
            ignore_suspects=dict(threshold=0, halo=0, warmup_iters=0),
        )
    )
    auxiliary = MODELS.build(decoder)
    boxes = np.array([(4, 2, 9, 8)], np.float32)
    regions = BoxRegions.from_boxes(boxes, np.ones(1, int), (H, W))
    sample = SegDataSample(gt_sem_seg=PixelData(data=regions.map[None].long()))
    sample.set_data(dict(gt_box_regions=regions))
    features = (torch.randn(1, 4, H, W),)
    losses = head.loss(features, [sample], {})
    # Only the box is left, for the second head as well.
    assert losses['ignored'] == pytest.approx(1 - 30 / (H * W))
    auxiliary.loss(features, [sample], {})['loss_ce'].backward()
    seen = sample.gt_sem_seg.data[0] == 1
    torch.testing.assert_close(seen, regions.map > 0)
    assert (sample.gt_sem_seg.data[0][~seen] == 255).all()
