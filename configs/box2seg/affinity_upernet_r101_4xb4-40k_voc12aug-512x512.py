# GrabCut and the affinity loss, without the attention-weighted one.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(decode_head=dict(loss_attention=None))
