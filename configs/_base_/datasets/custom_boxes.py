# Photographs of one's own with boxes; see docs/custom_data.md. BOX2SEG_CUSTOM
# is their folder, with JPEGImages, Annotations, train.txt and classes.txt, one
# foreground class a line.
import pathlib

data_root = '{{$BOX2SEG_CUSTOM:data/custom}}'
class_file = pathlib.Path(data_root, 'classes.txt')
names = [line.strip() for line in class_file.read_text().splitlines()]
classes = ['background', *filter(None, names)]
num_classes = len(classes)
del class_file, names
img_suffix = '.jpg'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadBoxes', num_classes=num_classes),
    dict(type='LoadPseudoLabels'),
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
    dict(type='PackBox2SegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
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
        pipeline=test_pipeline,
    ),
)
