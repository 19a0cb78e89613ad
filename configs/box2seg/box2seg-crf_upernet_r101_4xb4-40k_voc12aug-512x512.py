# Box2Seg's checkpoint tested with a dense CRF, which training does not use.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(type='CRFEncoderDecoder', test_cfg=dict(crf=dict(workers=1)))
tta_model = dict(type='CRFSegTTAModel')
