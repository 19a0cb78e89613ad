# Trained on the masks of an eighth of the images alone; write the split with
# tools/sample_split.py.
_base_ = './full_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(ann_file='ImageSets/Segmentation/train_aug_1-8.txt')
)
