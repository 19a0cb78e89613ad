# Deep GrabCut, trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/deep-grabcut_upernet_effnet-lite2.py',
    '../_base_/datasets/voc-mini-objects.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
