# Box2Seg: three decoders, three losses.
_base_ = './grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-1class-256x256.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=100),
            dict(
                type='AffinityLoss', embedding_channels=64, pretrain_iters=100
            ),
        ],
    )
)
