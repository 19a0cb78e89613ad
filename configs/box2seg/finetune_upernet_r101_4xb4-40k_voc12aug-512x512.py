# Box2Seg, then trained on the masks of few images: an eighth, or what
# BOX2SEG_FEW says.
_base_ = '../baselines/few_upernet_r101_4xb4-40k_voc12aug-512x512.py'
start = (
    'work_dirs/box2seg_upernet_r101_4xb4-40k_voc12aug-512x512/iter_40000.pth'
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
