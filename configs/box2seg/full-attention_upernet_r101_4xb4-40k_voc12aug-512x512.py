# Full supervision and the attention-weighted loss: VOC's boxes are complete
# where about a tenth of its masks are not (the authors report +1.5).
_base_ = './attention_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(
        pseudo_label_dir='data/VOCdevkit/VOC2012/SegmentationClassAug'
    )
)
