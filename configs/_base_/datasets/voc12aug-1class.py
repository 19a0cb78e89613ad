# PASCAL VOC 2012 aug with a single class: object against background.
_base_ = './voc12aug.py'
classes = dict(
    classes=('background', 'object'), palette=[[0, 0, 0], [128, 0, 0]]
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadPseudoLabels'),
            dict(type='MergeClasses'),
            dict(type='LoadBoxes'),
            {{_base_.augment.resize}},
            {{_base_.augment.crop}},
            {{_base_.augment.flip}},
            {{_base_.augment.color}},
            dict(type='PackBox2SegInputs'),
        ]
    )
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2048, 512), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='MergeClasses'),
    dict(type='PackSegInputs'),
]
tta_pipeline = _base_.tta_pipeline
# After the step that loads the masks.
tta_pipeline[1].transforms.insert(3, [dict(type='MergeClasses')])
val_dataloader = dict(
    dataset=dict(
        type='BaseSegDataset',
        metainfo=classes,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
