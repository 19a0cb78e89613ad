# Trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_effnet-lite2.py',
    '../_base_/datasets/voc-mini.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
