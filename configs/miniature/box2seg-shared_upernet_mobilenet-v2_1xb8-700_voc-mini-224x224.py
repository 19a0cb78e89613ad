# Box2Seg with one decoder of three output layers.
_base_ = './box2seg_upernet_mobilenet-v2_1xb8-700_voc-mini-224x224.py'
model = dict(decode_head=dict(share_decoder=True))
