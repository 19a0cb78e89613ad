# PASCAL VOC 2012 aug (10,582 images) with its masks: full supervision.
_base_ = './voc12aug_boxes.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root='data/VOCdevkit/VOC2012',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'
        ),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            {{_base_.augment.resize}},
            {{_base_.augment.crop}},
            {{_base_.augment.flip}},
            {{_base_.augment.color}},
            dict(type='PackSegInputs'),
        ],
    )
)
