# The augmentation for photographs of your own, on a CPU.
augment = dict(
    resize=dict(
        type='RandomResize',
        # The shorter side is at least 256 px, whatever the longer one: a crop
        # of a smaller photograph would need padding, which mmseg gets wrong
        # for labels that SegRescale has shrunk.
        scale=(25600, 256),
        ratio_range=(1.0, 1.5),
        keep_ratio=True,
    ),
    crop=dict(type='RandomCrop', crop_size=(256, 256), cat_max_ratio=0.9),
    flip=dict(type='RandomFlip', prob=0.5),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1024, 256), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
# Three scales, each also mirrored, for test.py --tta.
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale=(1024, side), keep_ratio=True)
                for side in (192, 256, 320)
            ],
            [
                dict(type='RandomFlip', prob=0.0, direction='horizontal'),
                dict(type='RandomFlip', prob=1.0, direction='horizontal'),
            ],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
