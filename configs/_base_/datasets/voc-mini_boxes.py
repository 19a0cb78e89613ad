# The miniature's photographs with boxes instead of masks, on a CPU. Any folder
# in VOC's layout takes their place: set BOX2SEG_VOC to it.
_base_ = './augment_256.py'
data_root = '{{$BOX2SEG_VOC:data/voc-mini}}'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes', num_classes=21),
    dict(type='LoadPseudoLabels'),
    {{_base_.augment.resize}},
    {{_base_.augment.flip}},
    {{_base_.augment.shrink_labels}},
    dict(type='PackBox2SegInputs'),
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
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
