# Deep GrabCut, trained on the masks of other photographs: extra supervision.
_base_ = './deep-grabcut_upernet_effnet-lite2_1xb8-400_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(
        data_root='data/coco-mini',
        ann_file='train.txt',
        box_source=dict(_delete_=True, type='COCOJSON', box_file='boxes.json'),
        mask_ann_file='train.txt',
        pseudo_label_dir=None,
    )
)
