# Box2Seg, pre-trained on the boxes of coco-mini.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
start = (
    'work_dirs/pretrain_upernet_effnet-lite2_1xb8-800_coco-mini-256x256/'
    'iter_800.pth'
)
model = dict(init_cfg=dict(type='Pretrained', checkpoint=start))
