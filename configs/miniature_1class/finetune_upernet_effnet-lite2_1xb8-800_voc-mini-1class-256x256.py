# Box2Seg's checkpoint, trained further on the masks of an eighth of the
# images. tools/dataset_converters/sample_split.py writes the split.
_base_ = './full_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
start = (
    'work_dirs/box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256/'
    'iter_800.pth'
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
    dataset=dict(ann_file='ImageSets/Segmentation/train_1-8.txt')
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
