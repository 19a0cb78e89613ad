# 600 iterations of AdamW in bfloat16, from random weights. The warm-up and the
# decay to 0 keep the seeds within a point of each other.
_base_ = './schedule_800_cpu.py'
optim_wrapper = dict(optimizer=dict(lr=6e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, begin=0, end=50, by_epoch=False),
    dict(
        type='CosineAnnealingLR', T_max=600, begin=0, end=600, by_epoch=False
    ),
]
train_cfg = dict(max_iters=600, val_interval=600)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='KeepMemoryHook'),
]
