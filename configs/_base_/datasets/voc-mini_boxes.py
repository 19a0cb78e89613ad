# The miniature's photographs with boxes instead of masks, on a CPU. Any folder
# in VOC's layout takes their place: set BOX2SEG_VOC to it.
data_root = '{{$BOX2SEG_VOC:data/voc-mini}}'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes', num_classes=21),
    dict(type='LoadPseudoLabels'),
    dict(
        type='RandomResize',
        scale=(256, 256),
        ratio_range=(1.0, 1.3),
        keep_ratio=False,
    ),
    dict(type='RandomCrop', crop_size=(256, 256)),
    dict(type='RandomFlip', prob=0.5),
    # Losses at 128 px: at 256 they would take half of a step.
    dict(type='SegRescale', scale_factor=0.5),
    dict(type='PackBox2SegInputs'),
]
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
# No data workers: the network's threads use all cores, and a resumed run
# takes the same augmentations as an uninterrupted one (RandomStateHook).
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedVOCDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        pseudo_label_dir='work_dirs/pseudo_labels/voc-mini/grabcut',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PascalVOCDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
