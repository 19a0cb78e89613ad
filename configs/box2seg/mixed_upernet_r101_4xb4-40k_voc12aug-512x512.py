# Box2Seg with the masks of few images, an eighth or what BOX2SEG_FEW says,
# which are half of a batch.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
few = '{{$BOX2SEG_FEW:1-8}}'
train_dataloader = dict(
    dataset=dict(
        mask_ann_file=f'ImageSets/Segmentation/train_aug_{few}.txt',
        mask_dir='SegmentationClassAug',
        balance_masks=True,
    )
)
