# UPerNet of 64 channels on a frozen EfficientNet-Lite2: small enough for a
# laptop's CPU.
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127, 127, 127],
        std=[128, 128, 128],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256),
    ),
    backbone=dict(
        type='EfficientNetLite',
        variant='lite2',
        out_indices=(2, 4, 5, 6, 7),
        # Nothing of it is trained: that is two to three times as fast with
        # the benchmark's feature cache as training the last stages, which
        # gains little (docs/losses.md, "Against the paper").
        frozen_stages=7,
        # box2seg convert_backbone downloads these weights.
        init_cfg=dict(
            type='Pretrained', checkpoint='box2seg://efficientnet-lite2'
        ),
    ),
    decode_head=dict(
        type='UPerHead',
        in_channels=[48, 120, 208, 352, 1280],
        in_index=[0, 1, 2, 3, 4],
        pool_scales=(1, 2, 3, 6),
        channels=64,
        dropout_ratio=0.1,
        num_classes=21,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
