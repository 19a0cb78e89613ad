# Box2Seg's checkpoint, tested with a dense CRF. Training does not use the CRF.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
model = dict(type='CRFEncoderDecoder', test_cfg=dict(crf=dict()))
tta_model = dict(type='CRFSegTTAModel')
