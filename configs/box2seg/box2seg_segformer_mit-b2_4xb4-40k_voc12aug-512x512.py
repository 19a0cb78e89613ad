# Box2Seg over SegFormer-B2; the schedule of the losses is that of UPerNet.
_base_ = '../baselines/grabcut_segformer_mit-b2_4xb4-40k_voc12aug-512x512.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=5000),
            dict(
                type='AffinityLoss', embedding_channels=64, pretrain_iters=5000
            ),
        ],
    )
)
