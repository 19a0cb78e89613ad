# Box2Seg: three decoders, three losses.
_base_ = './grabcut_upernet_mobilenet-v2_1xb8-700_voc-mini-224x224.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        warmup_iters=140,
        embedding_pretrain_iters=140,
    )
)
