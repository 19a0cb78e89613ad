# Full supervision: trained on ground-truth masks. For fewer of them give a
# split: --cfg-options train_dataloader.dataset.ann_file=FILE.
_base_ = './grabcut_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root={{_base_.data_root}},
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
