# Trained on ground-truth masks.
_base_ = [
    '../_base_/models/upernet_r50.py',
    '../_base_/datasets/voc12aug_masks.py',
    '../_base_/schedules/schedule_40k.py',
    '../_base_/default_runtime.py',
]
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
