# Box2Seg with the masks of an eighth of the images, which are half of a batch.
# tools/dataset_converters/sample_split.py writes the split.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(
        mask_ann_file='ImageSets/Segmentation/train_aug_1-8.txt',
        mask_dir='SegmentationClassAug',
        balance_masks=True,
    )
)
