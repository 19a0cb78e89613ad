# 800 iterations of AdamW for the miniature.
optim_wrapper = dict(
    type='BFloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-3, weight_decay=0.05),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, begin=0, end=50, by_epoch=False),
    # Half a cosine: ending at half the rate gave a better mIoU than at 0.
    dict(
        type='CosineAnnealingLR', T_max=1600, begin=0, end=800, by_epoch=False
    ),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=800)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # The checkpoint before the last is kept: a run killed while it writes
    # the last one resumes from it.
    checkpoint=dict(
        type='CheckpointHook', by_epoch=False, interval=100, max_keep_ckpts=2
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='KeepMemoryHook'),
    # What is tested and kept is the mean over about the last 50 iterations:
    # at so high a rate the weights of one differ by chance.
    dict(
        type='EMAHook',
        ema_type='MomentumAnnealingEMA',
        momentum=0.02,
        gamma=10,
        update_buffers=True,
    ),
]
