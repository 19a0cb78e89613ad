# Full supervision: trained on ground-truth masks.
_base_ = './grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='BaseSegDataset',
        metainfo={{_base_.classes}},
        img_suffix='.jpg',
        seg_map_suffix='.png',
        data_root={{_base_.data_root}},
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='MergeClasses'),
            {{_base_.augment.resize}},
            {{_base_.augment.flip}},
            {{_base_.augment.shrink_labels}},
            dict(type='PackSegInputs'),
        ],
    )
)
