# Photographs with boxes instead of masks, on a CPU: voc-mini, or any folder
# with VOC's classes and layout that takes its place as data_root.
_base_ = './two_views_256.py'
data_root = 'data/voc-mini'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes'),
    dict(type='LoadPseudoLabels'),
    {{_base_.augment.resize}},
    {{_base_.augment.flip}},
    {{_base_.augment.shrink_labels}},
    dict(type='PackBox2SegInputs'),
]
# No data workers: the network's threads use all cores, and a resumed run draws
# the same augmentations as an uninterrupted one (RandomStateHook).
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedVOCDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        pseudo_label_dir='data/pseudo_labels/voc-mini/grabcut',
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
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
