# The miniature's photographs with one class: object against background.
_base_ = './voc-mini_boxes.py'
classes = dict(
    classes=('background', 'object'), palette=[[0, 0, 0], [128, 0, 0]]
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadPseudoLabels'),
            dict(type='MergeClasses'),
            dict(type='LoadBoxes', num_classes=2),
            dict(
                type='RandomResize',
                scale=(256, 256),
                ratio_range=(1.0, 1.3),
                keep_ratio=False,
            ),
            dict(type='RandomCrop', crop_size=(256, 256)),
            dict(type='RandomFlip', prob=0.5),
            # See voc-mini_boxes.py.
            dict(type='SegRescale', scale_factor=0.5),
            dict(type='PackBox2SegInputs'),
        ]
    )
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='MergeClasses'),
    dict(type='PackSegInputs'),
]
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
            [dict(type='MergeClasses')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
val_dataloader = dict(
    dataset=dict(
        type='BaseSegDataset',
        metainfo=classes,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
