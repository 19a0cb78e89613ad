# The same, 400 iterations.
_base_ = './schedule_600_cpu.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, begin=0, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=400, by_epoch=False),
]
train_cfg = dict(max_iters=400, val_interval=400)
