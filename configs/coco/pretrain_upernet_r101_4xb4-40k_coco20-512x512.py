# Box2Seg on COCO's boxes of VOC's 20 classes, tested on VOC: where
# training on VOC can start, as from OpenImages.
_base_ = '../box2seg/box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(
        type='BoxSupervisedCOCODataset',
        data_root='data/coco',
        data_prefix=dict(img_path='train2017'),
        ann_file='masks/train2017/names.txt',
        box_file='annotations/instances_train2017.json',
        skip_bad=True,  # two of its boxes have no height
        pseudo_label_dir='data/pseudo_labels/coco20/grabcut',
    )
)
