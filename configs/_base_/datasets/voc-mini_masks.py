# The miniature's photographs with their masks: full supervision.
_base_ = './voc-mini_boxes.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root={{_base_.data_root}},
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            {{_base_.augment.resize}},
            {{_base_.augment.flip}},
            {{_base_.augment.shrink_labels}},
            dict(type='PackSegInputs'),
        ],
    )
)
