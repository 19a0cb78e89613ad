"""The commands of docs/openimages.md that a CPU can run, word for word."""

import csv

import pytest
import torch

from box2seg_mmseg.boxes import (
    COCOJSON,
    OPEN_IMAGES_TO_VOC,
    VOC_CLASSES,
    VOCXML,
)
from box2seg_mmseg.pseudo_labels import build_labeler, generate_pseudo_labels

COLUMNS = [
    *('ImageID', 'Source', 'LabelName', 'Confidence'),
    *('XMin', 'XMax', 'YMin', 'YMax'),
    *('IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside'),
]


@pytest.fixture
def open_images(data_dir, tmp_path):
    """Photographs of coco-mini in the format of OpenImages."""
    root = data_dir / 'coco-mini'
    names = {voc: name for name, voc in OPEN_IMAGES_TO_VOC.items()}
    codes = {name: f'/m/{i:04}' for i, name in enumerate(names.values())}
    with (tmp_path / 'oidv7-class-descriptions-boxable.csv').open('w') as file:
        rows = ((code, name) for name, code in codes.items())
        csv.writer(file).writerows([('LabelName', 'DisplayName'), *rows])
    images = tmp_path / 'images/train'
    images.mkdir(parents=True)
    ids = (root / 'train.txt').read_text().split()[:8]
    with (tmp_path / 'oidv6-train-annotations-bbox.csv').open('w') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for item in COCOJSON(root).read(ids):
            (images / f'{item.image_id}.jpg').symlink_to(item.image_path)
            height, width = item.size
            for label, (x1, y1, x2, y2) in zip(
                item.labels, item.boxes, strict=True
            ):
                code = codes[names[VOC_CLASSES[label - 1]]]
                box = (x1 / width, x2 / width, y1 / height, y2 / height)
                writer.writerow(
                    [item.image_id, 'xclick', code, 1, *box, *'00000']
                )
    return ids


@pytest.fixture
def voc(few_photographs, tmp_path):
    """A few photographs of voc-mini with pseudo labels."""
    split = few_photographs / 'ImageSets/Segmentation/train.txt'
    generate_pseudo_labels(
        VOCXML(few_photographs).read(split.read_text().split()),
        build_labeler(dict(type='BoxFill')),
        tmp_path / 'work_dirs/pseudo_labels/voc-mini/grabcut',
    )
    return few_photographs


def test_from_open_images_files_to_a_fine_tuned_network(
    open_images, voc, page_blocks, follow, tmp_path
):
    (prepare, generate, *on_gpus), commands = page_blocks('openimages.md')
    assert all('configs/box2seg' in command for command in on_gpus)
    fetch, pretrain, finetune = commands
    # A rate of 0: what fine-tuning starts from is what it ends with.
    finetune += ' optim_wrapper.optimizer.lr=0'
    follow(
        [prepare, generate, fetch, pretrain, finetune], BOX2SEG_VOC=str(voc)
    )
    split = tmp_path / 'data/openimages/ImageSets/Segmentation/train.txt'
    assert set(split.read_text().split()) <= set(open_images)
    start, end = (
        torch.load(
            tmp_path / f'work_dirs/{name}/iter_800.pth', weights_only=False
        )
        for name in ('openimages', 'finetuned')
    )
    weight = 'decode_head.seg_decoder.conv_seg.weight'
    assert torch.equal(start['state_dict'][weight], end['state_dict'][weight])
