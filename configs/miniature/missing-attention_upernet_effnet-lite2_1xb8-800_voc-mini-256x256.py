# The same and the attention-weighted loss, whose boxes are complete.
_base_ = './attention_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(pseudo_label_dir='work_dirs/benchmark/labels/missing')
)
