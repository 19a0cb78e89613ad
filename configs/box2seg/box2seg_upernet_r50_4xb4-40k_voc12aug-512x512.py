# The smaller network.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(pretrained='open-mmlab://resnet50_v1c', backbone=dict(depth=50))
