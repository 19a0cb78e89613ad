# Box2Seg(OI): Box2Seg on VOC, pre-trained on OpenImages' boxes.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
start = (
    'work_dirs/pretrain_upernet_r101_4xb4-40k_openimages-512x512/'
    'iter_40000.pth'
)
model = dict(init_cfg=dict(type='Pretrained', checkpoint=start))
