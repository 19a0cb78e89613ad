# Full supervision with the attention-weighted loss: VOC's boxes are complete
# where about a tenth of its masks are not (the authors report +1.5). All
# images have masks, so no pseudo label is read.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(
    decode_head=dict(
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=5000),
        ]
    )
)
train_dataloader = dict(
    dataset=dict(
        pseudo_label_dir=None,
        mask_ann_file='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClassAug',
    )
)
