# Trained from random weights on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_r18.py',
    '../_base_/datasets/scenes.py',
    '../_base_/schedules/schedule_600_cpu.py',
    '../_base_/default_runtime.py',
]
