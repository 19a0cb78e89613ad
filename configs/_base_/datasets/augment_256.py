# The augmentation of the miniatures, for photographs of any size.
augment = dict(
    resize=dict(
        type='RandomResize',
        scale=(256, 256),
        ratio_range=(1.0, 1.3),
        keep_ratio=False,
    ),
    crop=dict(type='RandomCrop', crop_size=(256, 256)),
    flip=dict(type='RandomFlip', prob=0.5),
    # Losses at 128 px: at 256 they would take half of a step.
    shrink_labels=dict(type='SegRescale', scale_factor=0.5),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
