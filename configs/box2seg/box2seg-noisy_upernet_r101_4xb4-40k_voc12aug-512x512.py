# Box2Seg from boxes harmed by convert_boxes.py --noise.
_base_ = './box2seg_upernet_r101_4xb4-40k_voc12aug-512x512.py'
noise = '{{$BOX2SEG_NOISE:merge-30}}'
train_dataloader = dict(
    dataset=dict(
        box_dir=f'data/boxes/voc12/{noise}',
        pseudo_label_dir=f'data/pseudo_labels/voc12/{noise}',
    )
)
