# Box2Seg on the paper's network; schedule and weights are our choice.
_base_ = '../baselines/grabcut_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=5000),
            dict(type='AffinityLoss', pretrain_iters=5000),
        ],
    )
)
