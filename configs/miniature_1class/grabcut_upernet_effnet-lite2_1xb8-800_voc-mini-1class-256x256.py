# Trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_effnet-lite2.py',
    '../_base_/datasets/voc-mini-1class.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
model = dict(decode_head=dict(num_classes=2, out_channels=2))
