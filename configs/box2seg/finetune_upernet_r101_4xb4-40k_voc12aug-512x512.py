# Box2Seg's checkpoint, trained further on the masks of an eighth of the
# images. tools/dataset_converters/sample_split.py writes the split.
_base_ = '../baselines/full_upernet_r101_4xb4-40k_voc12aug-512x512.py'
start = (
    'work_dirs/box2seg_upernet_r101_4xb4-40k_voc12aug-512x512/iter_40000.pth'
)
model = dict(
    init_cfg=dict(type='Pretrained', checkpoint=start),
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        losses=[dict(type='GrabCutLoss')],
    ),
)
train_dataloader = dict(
    dataset=dict(ann_file='ImageSets/Segmentation/train_aug_1-8.txt')
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
