# A single class, trained on pseudo labels alone: a cheaper network for
# train_rounds than Box2Seg, whose labels are slightly less accurate.
_base_ = [
    '../_base_/models/upernet_r50.py',
    '../_base_/datasets/voc12aug-1class.py',
    '../_base_/schedules/schedule_40k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    pretrained='open-mmlab://resnet101_v1c',
    backbone=dict(depth=101),
    decode_head=dict(num_classes=2, out_channels=2),
    auxiliary_head=dict(num_classes=2, out_channels=2),
)
