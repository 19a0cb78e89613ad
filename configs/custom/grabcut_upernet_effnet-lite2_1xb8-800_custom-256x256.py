# One's own classes, trained on GrabCut's pseudo labels alone.
_base_ = [
    '../_base_/models/upernet_effnet-lite2.py',
    '../_base_/datasets/custom_boxes.py',
    '../_base_/schedules/schedule_800_cpu.py',
    '../_base_/default_runtime.py',
]
model = dict(
    decode_head=dict(
        num_classes={{_base_.num_classes}}, out_channels={{_base_.num_classes}}
    )
)
val_cfg = None
val_evaluator = None
