# The augmentation of the miniatures: the whole photograph, squeezed to 256 px,
# and its mirror image. With only two views of an image, the benchmark computes
# the frozen backbone's features of each view once. For photographs of your own
# see augment_256.py.
augment = dict(
    resize=dict(type='Resize', scale=(256, 256), keep_ratio=False),
    flip=dict(type='RandomFlip', prob=0.5),
    # The losses are taken at 128 px; at 256 px they would take half of the
    # time of a step.
    shrink_labels=dict(type='SegRescale', scale_factor=0.5),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
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
                dict(type='Resize', scale=(side, side), keep_ratio=False)
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
