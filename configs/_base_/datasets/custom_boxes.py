# Photographs of one's own with boxes; see docs/custom_data.md. BOX2SEG_CUSTOM
# is their folder, with JPEGImages, Annotations, train.txt and classes.txt, one
# foreground class a line.
import pathlib

_base_ = './augment_256.py'
data_root = '{{$BOX2SEG_CUSTOM:data/custom}}'
class_file = pathlib.Path(data_root, 'classes.txt')
if not class_file.is_file():
    raise FileNotFoundError(
        f'{class_file}: no such file; set BOX2SEG_CUSTOM to the folder that '
        'has it (docs/custom_data.md)'
    )
lines = class_file.read_text(encoding='utf-8-sig').splitlines()
names = [line.strip() for line in lines]
classes = ['background', *filter(None, names)]
num_classes = len(classes)
del class_file, lines, names
img_suffix = '.jpg'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes', num_classes=num_classes),
    dict(type='LoadPseudoLabels'),
    {{_base_.augment.resize}},
    {{_base_.augment.flip}},
    {{_base_.augment.shrink_labels}},
    dict(type='PackBox2SegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='BoxSupervisedVOCDataset',
        data_root=data_root,
        ann_file='train.txt',
        img_suffix=img_suffix,
        metainfo=dict(classes=classes),
        pseudo_label_dir='work_dirs/pseudo_labels/custom',
        pipeline=train_pipeline,
    ),
)
# For test.py, given masks in SegmentationClass of the images in val.txt;
# training needs none and does not validate.
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='val.txt',
        img_suffix=img_suffix,
        seg_map_suffix='.png',
        metainfo=dict(classes=classes),
        pipeline={{_base_.test_pipeline}},
    ),
)
