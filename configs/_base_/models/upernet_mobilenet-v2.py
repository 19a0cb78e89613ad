# UPerNet of 64 channels on mmseg's own MobileNetV2, for a laptop's CPU. The
# trained model exports to stock mmseg.
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256),
    ),
    backbone=dict(
        type='MobileNetV2',
        widen_factor=1.0,
        strides=(1, 2, 2, 2, 1, 2, 1),
        dilations=(1, 1, 1, 1, 1, 1, 1),
        out_indices=(1, 2, 4, 6),
        frozen_stages=6,
        norm_eval=True,
        norm_cfg=norm_cfg,
        # box2seg convert_backbone downloads these weights.
        init_cfg=dict(type='Pretrained', checkpoint='box2seg://mobilenet-v2'),
    ),
    decode_head=dict(
        type='UPerHead',
        in_channels=[24, 32, 96, 320],
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6),
        channels=64,
        dropout_ratio=0.1,
        num_classes=2,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
