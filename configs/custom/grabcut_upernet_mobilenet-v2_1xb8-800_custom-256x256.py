# Your own classes: trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_mobilenet-v2.py',
    '../_base_/datasets/custom.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
val_cfg = None
val_evaluator = None
