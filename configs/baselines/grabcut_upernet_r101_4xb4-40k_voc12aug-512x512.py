# Trained on GrabCut's pseudo labels alone: the paper's GrabCut baseline. Its
# Box and Box^i baselines take labels made by box_fill, plain or with
# --inner 0.2: --cfg-options train_dataloader.dataset.pseudo_label_dir=DIR.
_base_ = [
    '../_base_/models/upernet_r50.py',
    '../_base_/datasets/voc12aug.py',
    '../_base_/schedules/schedule_40k.py',
    '../_base_/default_runtime.py',
]
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
