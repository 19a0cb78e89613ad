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
            dict(type='PackSegInputs'),
        ],
    )
)
