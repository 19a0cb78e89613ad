# Photographs of your own with boxes in any supported format. Inherit a config
# of configs/custom and set data_root, the classes, the box source and, unless
# it is .jpg, the suffix, as docs/custom_data.md shows.
_base_ = './augment_256.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes'),
    dict(type='LoadPseudoLabels'),
    {{_base_.augment.resize}},
    {{_base_.augment.crop}},
    {{_base_.augment.flip}},
    # The losses are taken at 128 px; at 256 px they would take half of the
    # time of a step.
    dict(type='SegRescale', scale_factor=0.5),
    dict(type='PackBox2SegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedDataset',
        data_root='data/custom',
        ann_file='train.txt',
        box_source=dict(type='VOCXML'),
        metainfo=dict(classes=['background', 'object']),
        pseudo_label_dir='data/pseudo_labels/custom',
        pipeline=train_pipeline,
    ),
)
# For test.py, if the images of val.txt have masks in SegmentationClass.
# Training needs none and does not validate.
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        data_root='data/custom',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='val.txt',
        img_suffix='.jpg',
        seg_map_suffix='.png',
        metainfo=dict(classes=['background', 'object']),
        pipeline={{_base_.test_pipeline}},
    ),
)
