# Scenes that tools/benchmark/demo.py renders when it is given no data.
metainfo = dict(
    classes=('background', 'disk', 'ring', 'star', 'lollipop', 'frame'),
    palette=[
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [128, 0, 128],
    ],
)
data_root = 'work_dirs/demo/scenes'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes'),
    dict(type='LoadPseudoLabels'),
    dict(
        type='RandomResize',
        scale=(128, 128),
        ratio_range=(0.8, 1.25),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=(96, 96), cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackBox2SegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedVOCDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        pseudo_label_dir='work_dirs/demo/pseudo_labels/grabcut',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=metainfo,
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
