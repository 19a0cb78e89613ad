"""Which of mmseg's decode heads Box2SegHead trains, and which it refuses."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import nn

PAGE = Path(__file__).resolve().parents[3] / 'docs/own_project.md'
CHANNELS = [8, 16, 32, 64]
ONE = dict(in_channels=64, in_index=3)
ALL = dict(in_channels=CHANNELS, in_index=[0, 1, 2, 3])
# The heads that the contract test does not have.
OTHERS = {
    'ANNHead': dict(
        in_channels=[32, 64],
        in_index=[2, 3],
        project_channels=8,
        query_scales=(1,),
        key_pool_scales=(1, 2),
    ),
    'APCHead': ONE | dict(pool_scales=(1, 2)),
    'ASPPHead': ONE | dict(dilations=(1, 2)),
    'CCHead': ONE,
    'DMHead': ONE | dict(filter_sizes=(1, 3)),
    'DNLHead': ONE,
    'DPTHead': dict(
        in_channels=[64] * 4,
        in_index=[0, 1, 2, 3],
        input_transform='multiple_select',
        embed_dims=64,
        post_process_channels=CHANNELS,
    ),
    'DepthwiseSeparableFCNHead': ONE,
    'EMAHead': ONE | dict(ema_channels=8, num_bases=4, num_stages=2),
    'FPNHead': ALL | dict(feature_strides=[4, 8, 16, 32]),
    'GCHead': ONE,
    'ISAHead': ONE | dict(isa_channels=8, down_factor=(2, 2)),
    'LRASPPHead': dict(
        in_channels=[8, 16, 32],
        in_index=[0, 1, 2],
        input_transform='multiple_select',
        branch_channels=(4, 4),
    ),
    'LightHamHead': ALL | dict(ham_channels=16, ham_kwargs=dict(MD_R=4)),
    'NLHead': ONE,
    'PSAHead': ONE | dict(mask_size=(8, 8)),
    'SETRMLAHead': dict(
        in_channels=[64] * 4, in_index=[0, 1, 2, 3], mla_channels=2
    ),
    'SETRUPHead': ONE | dict(norm_layer=dict(type='LN', eps=1e-6)),
    'SegmenterMaskTransformerHead': ONE
    | dict(num_layers=1, num_heads=2, embed_dims=16, norm_cfg=dict(type='LN')),
}
NEED_OPS = ('CCHead', 'PSAHead')  # of the full mmcv


def build(kind, share=False, **options):
    norm = dict(type='BN', requires_grad=True)
    decoder = dict(type=kind, channels=8, num_classes=5, norm_cfg=norm)
    losses = [
        dict(type=name)
        for name in ('GrabCutLoss', 'AttentionWeightedLoss', 'AffinityLoss')
    ]
    decoder |= OTHERS.get(kind, ALL) | options
    return MODELS.build(
        dict(
            type='Box2SegHead',
            decoder=decoder,
            losses=losses,
            share_decoder=share,
        )
    )


def features(kind):
    torch.manual_seed(0)
    if kind == 'DPTHead':  # a vision transformer's, with its class token
        return [(torch.randn(2, 64, 4, 4), torch.randn(2, 64))] * 4
    if kind == 'SETRMLAHead':
        return [torch.randn(2, 64, 16, 16)] * 4
    sizes = zip(CHANNELS, (64, 56, 52, 16), strict=True)
    return [torch.randn(2, c, side, side) for c, side in sizes]


@pytest.mark.parametrize('share', [False, True])
@pytest.mark.parametrize('kind', OTHERS)
def test_branches_of_other_heads_train(kind, share):
    if kind in NEED_OPS and find_spec('mmcv._ext') is None:
        pytest.skip("needs mmcv's compiled ops")
    if share and kind == 'SegmenterMaskTransformerHead':
        with pytest.raises(ValueError, match='set share_decoder=False'):
            build(kind, share)
        return
    head = build(kind, share).train()
    inputs = features(kind)
    logits, branches = head.forward_train(inputs)
    assert logits.shape[:2] == (2, 5)
    shapes = {name: value.shape[1:] for name, value in branches.items()}
    size = logits.shape[2:]
    assert shapes == dict(attention=(4, *size), embedding=(64, *size))
    # A branch trains the parameters that the stock head trains alone.
    head.seg_decoder(inputs).sum().backward()
    alone = {n for n, p in head.seg_decoder.named_parameters() if trained(p)}
    assert alone
    head.zero_grad()
    sum(value.sum() for value in branches.values()).backward()
    got = {name for name, p in head.named_parameters() if trained(p)}
    if share:
        want = {f'seg_decoder.{n}' for n in alone if 'conv_seg' not in n}
        want |= {f'{b}_conv.{n}' for b in branches for n in ('weight', 'bias')}
    else:
        want = {f'{b}_decoder.{n}' for b in branches for n in alone}
    assert got == want


def trained(parameter):
    return parameter.grad is not None


REFUSED = {
    'is not a subclass of': (
        'MaskFormerHead',
        'Mask2FormerHead',
        'KernelUpdateHead',
        'Box2SegHead',
    ),
    'refines the output of another decode head': ('OCRHead', 'PointHead'),
    'overrides loss_by_feat': (
        'DAHead',
        'DDRHead',
        'EncHead',
        'IterativeDecodeHead',
        'PIDHead',
        'STDCHead',
        'VPDDepthHead',
    ),
    'overrides loss,': ('SideAdapterCLIPHead',),
}


@pytest.mark.parametrize(
    ('reason', 'kind'),
    [(reason, kind) for reason, kinds in REFUSED.items() for kind in kinds],
)
def test_heads_that_would_lose_something_are_refused(reason, kind):
    """Before they are built, with the options that only they have."""
    message = rf'cannot train {kind}: it {reason}.*use a head .* UPerHead'
    with pytest.raises(TypeError, match=message):
        MODELS.build(dict(type='Box2SegHead', decoder=dict(type=kind)))


def test_the_page_lists_every_head_of_mmseg():
    """A head that a later mmseg adds shows here."""
    section = PAGE.read_text().split('## Which heads')[1].split('\n## ')[0]
    works, refused = (
        set(re.findall(r'`(\w+Head)`', ''.join(re.findall(r'\n\|.*', part))))
        for part in section.split('Refused')
    )
    expected = {name for names in REFUSED.values() for name in names}
    assert refused == expected - {'Box2SegHead', 'KernelUpdateHead'}
    known = {
        name
        for name, kind in MODELS.module_dict.items()
        if kind.__module__.startswith('mmseg.models.decode_heads.')
        and name.endswith('Head')
    }
    assert works | expected == known | {'Box2SegHead'}
    assert not works & expected


class Own(BaseDecodeHead):
    """A user's head with an output layer of its own."""

    def __init__(self, **options):
        super().__init__(**options)
        self.last = nn.Conv2d(64, self.num_classes, 1)

    def forward(self, inputs):
        return self.last(self._transform_inputs(inputs))


def test_a_head_without_conv_seg_is_not_shared():
    head = build(Own, **ONE)
    assert head.forward_train(features(Own))[0].shape[1] == 5
    head = build(Own, share=True, **ONE)
    with pytest.raises(ValueError, match=r'^Own .*set share_decoder=False'):
        head.forward_train(features(Own))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            dict(sampler=dict(type='OHEMPixelSampler', thresh=0.7)),
            'remove sampler from the decoder',
        ),
        (
            dict(num_classes=2, out_channels=1),
            'remove out_channels. Got: num_classes=2, out_channels=1',
        ),
        (dict(ignore_index=0), 'Got: 0 and 255'),
    ],
)
def test_options_without_effect_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build('FCNHead', **ONE | options)
