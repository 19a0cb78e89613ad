# Trained on the masks of few images alone, an eighth unless BOX2SEG_FEW says
# otherwise; docs/voc.md makes the split.
_base_ = './full_upernet_r101_4xb4-40k_voc12aug-512x512.py'
few = '{{$BOX2SEG_FEW:1-8}}'
train_dataloader = dict(
    dataset=dict(ann_file=f'ImageSets/Segmentation/train_aug_{few}.txt')
)
