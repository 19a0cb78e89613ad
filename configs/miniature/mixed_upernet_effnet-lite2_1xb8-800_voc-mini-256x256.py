# Box2Seg with the masks of an eighth of the images, which are half of a batch.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(
        mask_ann_file='ImageSets/Segmentation/train_1-8.txt',
        balance_masks=True,
    )
)
