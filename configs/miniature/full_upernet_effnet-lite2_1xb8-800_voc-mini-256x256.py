# Trained on ground-truth masks.
_base_ = [
    '../_base_/models/upernet_effnet-lite2.py',
    '../_base_/datasets/voc-mini_masks.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
