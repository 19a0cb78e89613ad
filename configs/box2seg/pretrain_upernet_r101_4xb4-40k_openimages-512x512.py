# Box2Seg on OpenImages' boxes, which `prepare_dataset openimages`
# converts.
# Box2Seg(OI) is Box2Seg on VOC from this checkpoint (docs/openimages.md).
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(
        data_root='data/openimages',
        ann_file='ImageSets/Segmentation/train.txt',
        pseudo_label_dir='data/pseudo_labels/openimages',
    )
)
