# Box2Seg in which an eighth of the images have their masks.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256.py'
train_dataloader = dict(
    dataset=dict(mask_ann_file='ImageSets/Segmentation/train_1-8.txt')
)
