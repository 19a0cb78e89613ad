# COCO's 80 classes: trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_r50.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/schedule_40k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    pretrained='open-mmlab://resnet101_v1c',
    backbone=dict(depth=101),
    decode_head=dict(num_classes=81),
    auxiliary_head=dict(num_classes=81),
)
