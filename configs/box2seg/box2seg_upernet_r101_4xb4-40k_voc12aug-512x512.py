# Box2Seg on the paper's network; schedule and weights are our choice. With
# --cfg-options, model.decode_head.losses.2.loss_weight=0 switches L_A off, and
# model.pretrained=open-mmlab://resnet50_v1c model.backbone.depth=50 trains a
# ResNet-50.
_base_ = '../baselines/grabcut_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='Box2SegHead',
        decoder={{_base_.model.decode_head}},
        # Of full width (512) a step takes 1.5 times as long; see
        # docs/measurements.md.
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
