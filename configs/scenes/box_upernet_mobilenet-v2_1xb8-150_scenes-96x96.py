# Trained on filled boxes.
_base_ = './grabcut_upernet_mobilenet-v2_1xb8-150_scenes-96x96.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='work_dirs/demo/pseudo_labels/box_fill')
)
