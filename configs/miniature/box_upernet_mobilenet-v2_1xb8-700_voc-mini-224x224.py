# Trained on filled boxes.
_base_ = './grabcut_upernet_mobilenet-v2_1xb8-700_voc-mini-224x224.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='work_dirs/pseudo_labels/voc-mini/box_fill')
)
