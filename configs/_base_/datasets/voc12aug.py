# PASCAL VOC 2012 aug (10,582 images) with boxes instead of masks.
_base_ = './augment_512.py'
data_root = 'data/VOCdevkit/VOC2012'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes'),
    dict(type='LoadPseudoLabels'),
    {{_base_.augment.resize}},
    {{_base_.augment.crop}},
    {{_base_.augment.flip}},
    {{_base_.augment.color}},
    dict(type='PackBox2SegInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedVOCDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train_aug.txt',
        pseudo_label_dir='data/pseudo_labels/voc12/grabcut',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
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
