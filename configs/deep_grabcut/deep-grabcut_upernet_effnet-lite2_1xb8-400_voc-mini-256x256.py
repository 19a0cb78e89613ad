# Deep GrabCut, trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/deep-grabcut_upernet_effnet-lite2.py',
    '../_base_/datasets/voc-mini-objects.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
# The first half of the schedule of 800 iterations, which was not compared with
# all of it.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, begin=0, end=50, by_epoch=False),
    dict(
        type='CosineAnnealingLR', T_max=1600, begin=0, end=400, by_epoch=False
    ),
]
train_cfg = dict(max_iters=400, val_interval=400)
