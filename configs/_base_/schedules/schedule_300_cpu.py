# 300 iterations of AdamW in bfloat16, from scratch.
optim_wrapper = dict(
    type='BFloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=6e-3, weight_decay=0.01),
)
param_scheduler = [
    dict(type='PolyLR', eta_min=0, power=0.9, end=300, by_epoch=False)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=300, val_interval=300)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # The checkpoint before the last is kept: a run killed while it writes
    # the last one resumes from it.
    checkpoint=dict(
        type='CheckpointHook', by_epoch=False, interval=50, max_keep_ckpts=2
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='KeepMemoryHook'),
]
