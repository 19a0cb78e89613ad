# Box2Seg of a single class, for the networks of train_rounds: whatever the
# class of a box is, it separates the object from the background.
_base_ = './grabcut_upernet_r101_4xb4-40k_voc12aug-1class-512x512.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        branch_decoder=dict(channels=320),
        losses=[
            dict(type='GrabCutLoss'),
            dict(type='AttentionWeightedLoss', warmup_iters=5000),
            dict(
                type='AffinityLoss', embedding_channels=64, pretrain_iters=5000
            ),
        ],
    )
)
