# Trained on the masks of an eighth of the images alone; write the split with
# tools/dataset_converters/sample_split.py.
_base_ = './full_upernet_effnet-lite2_1xb8-800_voc-mini-256x256.py'
train_dataloader = dict(
    dataset=dict(ann_file='ImageSets/Segmentation/train_1-8.txt')
)
