# Trained on ground-truth masks.
_base_ = [
    '../_base_/models/upernet_mobilenet-v2.py',
    '../_base_/datasets/voc-mini_masks.py',
    '../_base_/schedules/schedule_700_cpu.py',
    '../_base_/default_runtime.py',
]
