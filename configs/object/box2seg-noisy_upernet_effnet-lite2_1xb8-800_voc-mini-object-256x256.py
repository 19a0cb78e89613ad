# Box2Seg from boxes harmed by convert_boxes.py --noise.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-object-256x256.py'
noise = '{{$BOX2SEG_NOISE:merge-30}}'
train_dataloader = dict(
    dataset=dict(
        box_dir=f'work_dirs/boxes/voc-mini/{noise}',
        pseudo_label_dir=f'work_dirs/pseudo_labels/voc-mini/{noise}',
    )
)
