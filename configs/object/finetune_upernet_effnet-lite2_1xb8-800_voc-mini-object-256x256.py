# Box2Seg, then trained on the masks of an eighth of the images.
_base_ = './few_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256.py'
start = (
    'work_dirs/box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256/'
    'iter_800.pth'
)
model = dict(
    init_cfg=dict(type='Pretrained', checkpoint=start),
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        loss_attention=None,
        loss_affinity=None,
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
