"""Small models: each head of HEADS on each backbone of BACKBONES.

A head or backbone more is an entry; the contract test then covers it.
"""

from itertools import product
from pathlib import Path

from rendered_scenes import SCENE_CLASSES

(SCENES,) = (
    Path(__file__).resolve().parents[3].glob('configs/scenes/box2seg_*.py')
)
CLASSES = 1 + len(SCENE_CLASSES)
SIZE = (72, 100)  # of an image: no multiple of 32
BN = dict(type='BN', requires_grad=True)
SYNC_BN = dict(type='SyncBN', requires_grad=True)

# Channels of the four outputs, and the config.
BACKBONES = {
    'resnet': (
        [8, 16, 32, 64],
        dict(
            type='ResNetV1c',
            depth=18,
            stem_channels=8,
            base_channels=8,
            norm_cfg=SYNC_BN,
        ),
    ),
    'mobilenet_v2': (
        [8, 8, 24, 80],
        dict(
            type='MobileNetV2',
            widen_factor=0.25,
            strides=(1, 2, 2, 2, 1, 2, 1),
            dilations=(1, 1, 1, 1, 1, 1, 1),
            out_indices=(1, 2, 4, 6),
            norm_cfg=BN,
        ),
    ),
    'mit': (
        [8, 16, 32, 64],
        dict(
            type='MixVisionTransformer',
            embed_dims=8,
            num_layers=[1, 1, 1, 1],
            num_heads=[1, 2, 4, 8],
            qkv_bias=True,
            drop_path_rate=0.0,
        ),
    ),
    'swin': (
        [8, 16, 32, 64],
        dict(
            type='SwinTransformer',
            embed_dims=8,
            depths=(1, 1, 1, 1),
            num_heads=(1, 2, 4, 8),
            window_size=4,
            drop_path_rate=0.0,
        ),
    ),
}
# What a head adds to the options that all have, from the channels above.
HEADS = {
    'uper': lambda c: dict(
        type='UPerHead',
        in_channels=c,
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2),
        norm_cfg=SYNC_BN,
    ),
    'deeplabv3plus': lambda c: dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=c[3],
        in_index=3,
        dilations=(1, 6),
        c1_in_channels=c[0],
        c1_channels=4,
    ),
    'fcn': lambda c: dict(
        type='FCNHead',
        in_channels=c,
        in_index=[0, 1, 2, 3],
        input_transform='resize_concat',
        num_convs=1,
    ),
    'psp': lambda c: dict(
        type='PSPHead',
        in_channels=c[3],
        in_index=3,
        pool_scales=(1, 2),
        align_corners=True,
    ),
    'segformer': lambda c: dict(
        type='SegformerHead', in_channels=c, in_index=[0, 1, 2, 3]
    ),
}
CASES = list(product(HEADS, BACKBONES))


def stock_model(head, backbone):
    """A stock segmentor with two auxiliary heads."""
    channels, backbone = BACKBONES[backbone]
    auxiliary = dict(
        type='FCNHead',
        channels=8,
        num_convs=1,
        num_classes=CLASSES,
        norm_cfg=BN,
    )
    decoder = dict(channels=8, norm_cfg=BN) | HEADS[head](channels)
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor', size=SIZE, pad_val=0, seg_pad_val=255
        ),
        backbone=backbone,
        decode_head=decoder | dict(num_classes=CLASSES),
        auxiliary_head=[
            auxiliary | dict(in_channels=channels[i], in_index=i)
            for i in (1, 2)
        ],
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )


def box2seg_model(head, backbone, share=False):
    """The model with Box2SegHead over its decode head."""
    model = stock_model(head, backbone)
    decoder = model['decode_head']
    model['decode_head'] = dict(
        type='Box2SegHead', decoder=decoder, share_decoder=share
    )
    return model


def write_config(root, case, share):
    """Write the config of a case into a folder of its own."""
    model = dict(_delete_=True, **box2seg_model(*case, share))
    folder = root / '-'.join(case)
    folder.mkdir()
    (folder / 'config.py').write_text(f"_base_ = '{SCENES}'\nmodel = {model}")
    return folder
