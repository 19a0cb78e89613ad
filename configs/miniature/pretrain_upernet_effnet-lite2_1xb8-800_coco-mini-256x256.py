# Box2Seg on the boxes of coco-mini; what box2seg-pretrained starts from. Set
# BOX2SEG_COCO to its folder.
_base_ = './box2seg_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(
        type='BoxSupervisedCOCODataset',
        data_root='{{$BOX2SEG_COCO:data/coco-mini}}',
        ann_file='train.txt',
        pseudo_label_dir='work_dirs/pseudo_labels/coco-mini/grabcut',
    )
)
