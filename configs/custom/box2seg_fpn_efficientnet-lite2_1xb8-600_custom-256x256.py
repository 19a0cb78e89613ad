# One's own classes: Box2Seg.
_base_ = './grabcut_fpn_efficientnet-lite2_1xb8-600_custom-256x256.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        warmup_iters=120,
        embedding_pretrain_iters=120,
    )
)
