# Trained from scratch on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_mobilenet-v2.py',
    '../_base_/datasets/scenes_boxes.py',
    '../_base_/schedules/schedule_150_cpu.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(init_cfg=None),
    decode_head=dict(channels=32, num_classes=6),
)
# From scratch, the backbone learns as fast as the decoders.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=1.0)})
)
