# The miniature's photographs with their masks: full supervision.
_base_ = './voc-mini_boxes.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root='{{$BOX2SEG_VOC:data/voc-mini}}',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(
                type='RandomResize',
                scale=(224, 224),
                ratio_range=(1.0, 1.25),
                keep_ratio=False,
            ),
            dict(type='RandomCrop', crop_size=(224, 224), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackSegInputs'),
        ],
    )
)
