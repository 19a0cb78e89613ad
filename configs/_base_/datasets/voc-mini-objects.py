# The boxes of voc-mini one by one, with what surrounds them.
data_root = 'data/voc-mini'
crop = dict(side=256, margin=0.25)
# The losses are taken at 128 px.
shrink_labels = dict(type='SegRescale', scale_factor=0.5)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadPseudoLabels'),
    dict(type='CropBox', jitter=0.05, **crop),
    dict(type='RandomFlip', prob=0.5),
    shrink_labels,
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadPseudoLabels'),
    dict(type='CropBox', **crop),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedObjectDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        box_source=dict(type='VOCXML'),
        pseudo_label_dir='data/pseudo_labels/voc-mini/grabcut',
        pipeline=train_pipeline,
    ),
)
# IoU in the crops of the boxes, against the masks.
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BoxSupervisedObjectDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/val.txt',
        box_source=dict(type='VOCXML'),
        mask_ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
