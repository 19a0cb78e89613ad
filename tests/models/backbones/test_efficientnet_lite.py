import copy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from box2seg_mmseg.models.backbones import EfficientNetLite
from box2seg_mmseg.models.backbones.efficientnet_lite import ConvBN


def _randomise_statistics(module):
    for bn in module.modules():
        if isinstance(bn, nn.BatchNorm2d):
            bn.running_mean.uniform_(-0.5, 0.5)
            bn.running_var.uniform_(0.5, 2)
            nn.init.uniform_(bn.weight, 0.5, 1.5)


@pytest.mark.parametrize(
    ('variant', 'channels'),
    [
        ('lite0', (16, 24, 40, 80, 112, 192, 320, 1280)),
        ('lite2', (16, 24, 48, 88, 120, 208, 352, 1280)),
    ],
)
def test_channels_and_strides(variant, channels):
    """The published networks' (efficientnet-lite-pytorch 0.1.0)."""
    backbone = EfficientNetLite(variant, out_indices=tuple(range(8))).eval()
    outs = backbone(torch.zeros(1, 3, 64, 96))
    assert tuple(out.shape[1] for out in outs) == channels
    strides = (2, 4, 8, 16, 16, 32, 32, 32)
    for out, stride in zip(outs, strides, strict=True):
        assert out.shape[2:] == (64 // stride, 96 // stride)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('size', [(9, 12), (8, 7)])
def test_a_folded_batch_norm_computes_what_a_plain_one_does(stride, size):
    layer = ConvBN(3, 6, 5, dict(type='BN'), stride, groups=3).double().eval()
    _randomise_statistics(layer)
    x = torch.randn(2, 3, *size, dtype=torch.double)
    # TensorFlow's 'SAME', by brute force: zeros all around, then the cut
    # whose output has ceil(size / stride) places.
    before = [
        max(-(-side // stride) * stride - stride + 5 - side, 0) // 2
        for side in size
    ]
    padded = F.pad(x, (before[1], 9, before[0], 9))
    want = layer.bn(
        F.conv2d(padded, layer.conv.weight, None, stride, groups=3)
    )
    height, width = (-(-side // stride) for side in size)
    want = want[..., :height, :width].clamp(0, 6)
    torch.testing.assert_close(layer(x), want)


@pytest.mark.parametrize('out_indices', [(1, 2, 4, 6), (7,), (3, 1)])
def test_all_that_is_trained_has_a_gradient(out_indices):
    """DistributedDataParallel refuses what has none."""
    backbone = EfficientNetLite(out_indices=out_indices)
    outs = backbone(torch.randn(2, 3, 64, 64))
    sum(out.mean() for out in outs).backward()
    assert all(one.grad is not None for one in backbone.parameters())


def test_frozen_stages_learn_nothing():
    backbone = EfficientNetLite(frozen_stages=3).train()
    before = copy.deepcopy(backbone.state_dict())
    optimizer = torch.optim.SGD(
        [p for p in backbone.parameters() if p.requires_grad], lr=1
    )
    backbone(torch.randn(2, 3, 64, 64))[-1].mean().backward()
    optimizer.step()
    frozen = ('stem.', *(f'stages.{i}.' for i in range(4)))
    changed = {
        name
        for name, value in backbone.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed
    assert not any(name.startswith(frozen) for name in changed)


def test_channels_last_changes_no_figure():
    backbone = EfficientNetLite('lite0', channels_last=True).eval()
    other = EfficientNetLite('lite0', channels_last=False).eval()
    _randomise_statistics(backbone)
    other.load_state_dict(backbone.state_dict())
    x = torch.randn(1, 3, 64, 64)
    for a, b in zip(backbone(x), other(x), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_unknown_variants_and_stages_are_refused():
    with pytest.raises(ValueError, match=r'one of lite0, lite2\. Got: .b7'):
        EfficientNetLite('b7')
    with pytest.raises(ValueError, match=r'in 0\.\.7\. Got: \(1, 8\)'):
        EfficientNetLite(out_indices=(1, 8))
