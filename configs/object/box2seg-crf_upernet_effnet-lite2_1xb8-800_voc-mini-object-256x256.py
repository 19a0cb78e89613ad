# Box2Seg's checkpoint tested with a dense CRF, which training does not know.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256.py'
model = dict(type='CRFEncoderDecoder', test_cfg=dict(crf=dict(workers=1)))
test_cfg = dict(type='CRFTestLoop')
