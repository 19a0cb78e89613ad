# Trained on filled boxes.
_base_ = './grabcut_upernet_r18_1xb8-300_scenes-96x96.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='work_dirs/demo/pseudo_labels/box_fill')
)
