# GrabCut and the attention-weighted loss, without the affinity loss.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256.py'
model = dict(decode_head=dict(loss_affinity=None))
