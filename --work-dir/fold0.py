custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='KeepMemoryHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'box2seg_mmseg',
    ])
data_root = 'work_dirs/demo/scenes'
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False, interval=100, max_keep_ckpts=2, type='CheckpointHook'),
    logger=dict(interval=50, log_metric_by_epoch=False, type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(type='SegVisualizationHook'))
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
load_from = None
log_level = 'INFO'
log_processor = dict(by_epoch=False)
metainfo = dict(
    classes=(
        'background',
        'disk',
        'ring',
        'star',
        'lollipop',
        'frame',
    ),
    palette=[
        [
            0,
            0,
            0,
        ],
        [
            128,
            0,
            0,
        ],
        [
            0,
            128,
            0,
        ],
        [
            128,
            128,
            0,
        ],
        [
            0,
            0,
            128,
        ],
        [
            128,
            0,
            128,
        ],
    ])
model = dict(
    backbone=dict(
        base_channels=16,
        depth=18,
        norm_cfg=dict(requires_grad=True, type='BN'),
        stem_channels=16,
        type='ResNetV1c'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            96,
            96,
        ),
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        decoder=dict(
            align_corners=False,
            channels=32,
            dropout_ratio=0.1,
            in_channels=[
                16,
                32,
                64,
                128,
            ],
            in_index=[
                0,
                1,
                2,
                3,
            ],
            loss_decode=dict(avg_non_ignore=True, type='CrossEntropyLoss'),
            norm_cfg=dict(requires_grad=True, type='BN'),
            num_classes=6,
            pool_scales=(
                1,
                2,
                3,
                6,
            ),
            type='UPerHead'),
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=60),
            dict(
                embedding_channels=64, pretrain_iters=60, type='AffinityLoss'),
        ],
        type='Box2SegHead'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
norm_cfg = dict(requires_grad=True, type='BN')
optim_wrapper = dict(
    optimizer=dict(lr=0.006, type='AdamW', weight_decay=0.01),
    type='BFloat16OptimWrapper')
param_scheduler = [
    dict(begin=0, by_epoch=False, end=50, start_factor=0.02, type='LinearLR'),
    dict(
        T_max=600, begin=0, by_epoch=False, end=600, type='CosineAnnealingLR'),
]
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        data_root='work_dirs/demo/scenes',
        metainfo=dict(
            classes=(
                'background',
                'disk',
                'ring',
                'star',
                'lollipop',
                'frame',
            ),
            palette=[
                [
                    0,
                    0,
                    0,
                ],
                [
                    128,
                    0,
                    0,
                ],
                [
                    0,
                    128,
                    0,
                ],
                [
                    128,
                    128,
                    0,
                ],
                [
                    0,
                    0,
                    128,
                ],
                [
                    128,
                    0,
                    128,
                ],
            ]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        type='BaseSegDataset'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    iou_metrics=[
        'mIoU',
    ], type='IoUMetric')
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_cfg = dict(max_iters=600, type='IterBasedTrainLoop', val_interval=600)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file=
        '/tmp/pytest-of-root/pytest-42/test_a_run_that_is_ended_leave0/my, rounds/folds/train0.txt',
        data_root='/tmp/pytest-of-root/pytest-42/scenes0',
        metainfo=dict(
            classes=(
                'background',
                'disk',
                'ring',
                'star',
                'lollipop',
                'frame',
            ),
            palette=[
                [
                    0,
                    0,
                    0,
                ],
                [
                    128,
                    0,
                    0,
                ],
                [
                    0,
                    128,
                    0,
                ],
                [
                    128,
                    128,
                    0,
                ],
                [
                    0,
                    0,
                    128,
                ],
                [
                    128,
                    0,
                    128,
                ],
            ]),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadBoxes'),
            dict(type='LoadPseudoLabels'),
            dict(
                keep_ratio=True,
                ratio_range=(
                    0.8,
                    1.25,
                ),
                scale=(
                    128,
                    128,
                ),
                type='RandomResize'),
            dict(cat_max_ratio=0.9, crop_size=(
                96,
                96,
            ), type='RandomCrop'),
            dict(prob=0.5, type='RandomFlip'),
            dict(type='PackBox2SegInputs'),
        ],
        pseudo_label_dir=
        '/tmp/pytest-of-root/pytest-42/test_a_run_that_is_ended_leave0/old labels',
        type='BoxSupervisedVOCDataset'),
    num_workers=0,
    sampler=dict(shuffle=True, type='InfiniteSampler'))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes'),
    dict(type='LoadPseudoLabels'),
    dict(
        keep_ratio=True,
        ratio_range=(
            0.8,
            1.25,
        ),
        scale=(
            128,
            128,
        ),
        type='RandomResize'),
    dict(cat_max_ratio=0.9, crop_size=(
        96,
        96,
    ), type='RandomCrop'),
    dict(prob=0.5, type='RandomFlip'),
    dict(type='PackBox2SegInputs'),
]
tta_model = dict(type='SegTTAModel')
val_cfg = None
val_dataloader = None
val_evaluator = None
vis_backends = [
    dict(type='LocalVisBackend'),
]
visualizer = dict(
    name='visualizer',
    type='SegLocalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
