# Full supervision: trained on ground-truth masks.
_base_ = './grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
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
