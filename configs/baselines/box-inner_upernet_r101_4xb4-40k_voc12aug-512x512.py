# Trained on the inner 20 % of the boxes; their rest is ignored (Box^i).
_base_ = './grabcut_upernet_r101_4xb4-40k_voc12aug-512x512.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='data/pseudo_labels/voc12/box_inner')
)
