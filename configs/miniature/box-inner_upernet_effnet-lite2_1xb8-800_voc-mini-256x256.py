# Trained on the inner 20 % of the boxes; their rest is ignored (Box^i).
_base_ = './grabcut_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='work_dirs/pseudo_labels/voc-mini/box_inner')
)
